package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrNotAllowed is an account that may read a topic, but not what becomes of its
// records.
var ErrNotAllowed = errors.New("the account may not describe the topic's configuration: allow it DescribeConfigs on the topic")

const cleanupPolicy = "cleanup.policy"

// Compacted asks whether a topic is compacted: then what its log has below the
// newest records is not all that was there. It tries again until ctx is done,
// but not where it lacks the right: ErrNotAllowed.
func (s *Source) Compacted(ctx context.Context, topic string) (bool, error) {
	var compacted, refused bool
	err := s.persist(ctx, func(ctx context.Context) (err error) {
		compacted, err = s.compacted(ctx, topic)
		if refused = errors.Is(err, kerr.TopicAuthorizationFailed); refused {
			return nil
		}
		return err
	})
	if refused {
		err = ErrNotAllowed
	}
	if err != nil {
		return false, fmt.Errorf("kafka: describe %s: %w", topic, err)
	}
	return compacted, nil
}

func (s *Source) compacted(ctx context.Context, topic string) (bool, error) {
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, []string{cleanupPolicy}
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = append(req.Resources, resource)
	resp, err := req.RequestWith(ctx, s.side)
	if err != nil {
		return false, err
	}
	for i := range resp.Resources {
		r := &resp.Resources[i]
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return false, err
		}
		for _, c := range r.Configs {
			if c.Name == cleanupPolicy && c.Value != nil {
				return strings.Contains(*c.Value, "compact"), nil
			}
		}
	}
	return false, errNoAnswer
}
