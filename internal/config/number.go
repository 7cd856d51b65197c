package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number parses a whole number, or an amount of bytes with its unit, and
// holds it to the key's bounds.
func (k Key) number(text string) (int, error) {
	n, err := k.amount(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no %s, allowed: %s", text, k.noun(), k.bounds())
	}
	if n < k.Min || n > k.Max {
		return 0, fmt.Errorf("%s is out of range, allowed: %s", text, k.bounds())
	}
	return int(n), nil
}

func (k Key) amount(text string) (int64, error) {
	if k.Kind == Bytes {
		return parseBytes(text)
	}
	return strconv.ParseInt(text, 10, 64)
}

func (k Key) noun() string {
	switch k.Kind {
	case Bytes:
		return "amount of bytes"
	case Milliseconds, Microseconds, Seconds:
		return "time"
	case Decimal:
		return "number"
	default:
		return "whole number"
	}
}

// byteUnits are the units that amounts of bytes may have; powers of 1000 are
// left out, because nobody agrees on what KB means.
var byteUnits = [...]struct {
	name  string
	shift uint
}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}

func parseBytes(text string) (int64, error) {
	for _, unit := range byteUnits {
		if number, ok := strings.CutSuffix(text, unit.name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			if err == nil && (n > math.MaxInt64>>unit.shift || n < math.MinInt64>>unit.shift) {
				err = strconv.ErrRange
			}
			return n << unit.shift, err
		}
	}
	return strconv.ParseInt(text, 10, 64)
}

// formatBytes is the shortest text that parseBytes reads back.
func formatBytes(n int64) string {
	for _, unit := range byteUnits {
		if n != 0 && n%(1<<unit.shift) == 0 {
			return strconv.FormatInt(n>>unit.shift, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func (k Key) decimal(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%q is no number, allowed: %s", text, k.bounds())
	}
	if n < float64(k.Min) || n > float64(k.Max) {
		return 0, fmt.Errorf("%s is out of range, allowed: %s", text, k.bounds())
	}
	return n, nil
}

// duration parses a number in the key's unit, or a duration with its own.
func (k Key) duration(text string) (time.Duration, error) {
	unit := k.unit()
	n, err := strconv.ParseInt(text, 10, 64)
	d := time.Duration(0)
	if err == nil && n >= k.Min && n <= k.Max {
		return time.Duration(n) * unit, nil
	}
	if err != nil {
		if d, err = time.ParseDuration(text); err != nil {
			return 0, fmt.Errorf("%q is no time, allowed: %s", text, k.bounds())
		}
		if d%unit == 0 && d >= time.Duration(k.Min)*unit && d <= time.Duration(k.Max)*unit {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%s is out of range, allowed: %s", text, k.bounds())
}

// unit is what a bare number of the key counts.
func (k Key) unit() time.Duration {
	switch k.Kind {
	case Microseconds:
		return time.Microsecond
	case Seconds:
		return time.Second
	default:
		return time.Millisecond
	}
}

// bounds says what a number of the key may be.
func (k Key) bounds() string {
	switch k.Kind {
	case Bytes:
		return formatBytes(k.Min) + " to " + formatBytes(k.Max) + " (a number, or with KiB, MiB, GiB)"
	case Milliseconds, Microseconds, Seconds:
		return strconv.FormatInt(k.Min, 10) + " to " + strconv.FormatInt(k.Max, 10) + " " + string(k.Kind) + " (a number, or with a unit, like 5s)"
	default:
		return strconv.FormatInt(k.Min, 10) + " to " + strconv.FormatInt(k.Max, 10)
	}
}
