package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// textMax bounds every text value, in bytes.
const textMax = 1024

// text checks a value of one of the kinds that are kept as text, and returns
// it in its canonical form.
func (k Key) text(text string) (string, error) {
	if len(text) > textMax {
		return "", fmt.Errorf("has %d bytes, allowed: at most %d", len(text), textMax)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", fmt.Errorf("%q has control characters, allowed: printable text", text)
	}
	switch k.Kind {
	case Address, AddressList:
		return text, checkAddress(text, k.Kind == AddressList)
	case Choice:
		return k.choice(text)
	case OriginList:
		return parseOrigin(text)
	case Path:
		return absolute(text)
	default:
		return text, nil
	}
}

// checkAddress takes HOST:PORT; one to connect to needs a host and a port
// that is not 0, one to listen on neither.
func checkAddress(text string, remote bool) error {
	right := "HOST:PORT or :PORT, like :3001"
	if remote {
		right = "HOST:PORT, like 127.0.0.1:9092"
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New(allowed(strconv.Quote(text)+" is no address", right) + addressMeant(text, remote))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil:
		return errors.New(allowed(strconv.Quote(text)+" has no port from 0 to 65535", right))
	case remote && (n == 0 || host == ""):
		return errors.New(allowed(strconv.Quote(text)+" names no host and port to connect to", right))
	case strings.ContainsAny(host, " /@"):
		return errors.New(allowed(strconv.Quote(text)+" has no proper host", right))
	}
	return nil
}

// addressMeant guesses what somebody meant who left out a part.
func addressMeant(text string, remote bool) string {
	_, err := strconv.ParseUint(text, 10, 16)
	switch {
	case text == "" || strings.ContainsAny(text, " :/@[]"):
		return ""
	case !remote && err == nil:
		return `, did you mean ":` + text + `"?`
	case remote:
		return `, did you mean "` + text + `:9092"?`
	default:
		return `, did you mean "` + text + `:3001"?`
	}
}

// pretty is what the replaced system called text.
const pretty = "pretty"

func (k Key) choice(text string) (string, error) {
	if slices.Contains(k.Choices, text) {
		return text, nil
	}
	if text == pretty && slices.Contains(k.Aliases, "LOG_FORMAT") {
		return "text", nil
	}
	for _, c := range k.Choices {
		if strings.EqualFold(c, text) {
			return c, nil
		}
	}
	names := slices.DeleteFunc(slices.Clone(k.Choices), func(c string) bool { return c == "" })
	return "", errors.New(allowed(strconv.Quote(text)+" is unknown", strings.Join(names, ", ")) + didYouMean(text, names))
}

// parseOrigin takes SCHEME://HOST[:PORT] and returns it in lower case, as
// browsers send it (RFC 6454 section 6.2).
func parseOrigin(text string) (string, error) {
	if text == "*" || text == "null" {
		return "", fmt.Errorf("%q is not an origin, allowed: SCHEME://HOST[:PORT]; leave origins out to allow any", text)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not an origin, allowed: SCHEME://HOST[:PORT], like https://app.example.com", text)
	}
	return strings.ToLower(u.Scheme + "://" + u.Host), nil
}

// absolute makes a path independent of the directory that a process is in;
// "" stays: no path.
func absolute(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return filepath.Abs(text)
}

func parseSwitch(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither, allowed: true or false", text)
}
