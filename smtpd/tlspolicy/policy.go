package tlspolicy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Mode is what an MTA-STS policy asks for.
type Mode string

const (
	// Enforce: no mail over a connection that does not fulfil the policy.
	Enforce Mode = "enforce"
	// Testing: the domain only tries its policy out.
	Testing Mode = "testing"
	// None: the domain has given up its policy.
	None Mode = "none"
)

// Policy is an MTA-STS policy (RFC 8461, section 3.2).
type Policy struct {
	// Mode is one of the three; the zero Policy has none and asks for nothing.
	Mode Mode `json:"mode"`
	// MX are the hosts that take the domain's mail, in lower case; "*.example.com" is any host one label below.
	MX []string `json:"mx,omitempty"`
	// MaxAge is how long the policy holds after it was fetched.
	MaxAge time.Duration `json:"max_age"`
	// Trouble is why the policy that the DNS speaks of could not be fetched just now: an older one may hold, or none.
	Trouble error `json:"-"`
}

// ErrInvalid says that what was fetched is no policy.
var ErrInvalid = errors.New("no valid policy")

// Lines is the policy as its domain writes it.
func (p Policy) Lines() []string {
	lines := []string{"version: STSv1", "mode: " + string(p.Mode)}
	for _, mx := range p.MX {
		lines = append(lines, "mx: "+mx)
	}
	return append(lines, "max_age: "+strconv.FormatInt(int64(p.MaxAge/time.Second), 10))
}

const (
	maxPatterns = 1000 // in a policy
	maxAge      = 31557600 * time.Second
	minAge      = 5 * time.Minute // so that nobody can have us fetch a policy for every connection
)

// Matches reports whether host, with or without a final dot, may take the domain's mail (RFC 8461, section 4.1).
func (p Policy) Matches(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, parent, _ := strings.Cut(host, ".")
	for _, pattern := range p.MX {
		if wild, ok := strings.CutPrefix(pattern, "*."); pattern == host || ok && wild == parent {
			return true
		}
	}
	return false
}

// parsePolicy reads the text of a policy. Of a key that comes twice the first counts, except mx; unknown keys are passed over.
func parsePolicy(text []byte) (Policy, error) {
	var p Policy
	var version, age string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok && strings.TrimSpace(lines.Text()) != "":
			return Policy{}, fmt.Errorf("%.80q is no key with a value", lines.Text())
		case key == "version" && version == "":
			version = value
		case key == "mode" && p.Mode == "":
			p.Mode = Mode(value)
		case key == "max_age" && age == "":
			age = value
		case key == "mx":
			if p.MX = append(p.MX, strings.ToLower(strings.TrimSuffix(value, "."))); len(p.MX) > maxPatterns {
				return Policy{}, fmt.Errorf("more than %d mail hosts", maxPatterns)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return Policy{}, err
	}
	if version != "STSv1" {
		return Policy{}, fmt.Errorf("version %.20q is not STSv1", version)
	}
	seconds, err := strconv.ParseUint(age, 10, 64)
	if err != nil || len(age) > 10 {
		return Policy{}, fmt.Errorf("max_age %.20q is no number of seconds", age)
	}
	p.MaxAge = max(minAge, time.Duration(min(seconds, uint64(maxAge/time.Second)))*time.Second)
	switch {
	case p.Mode != Enforce && p.Mode != Testing && p.Mode != None:
		return Policy{}, fmt.Errorf("unknown mode %.20q", p.Mode)
	case p.Mode != None && len(p.MX) == 0:
		return Policy{}, errors.New("no mail host is named")
	}
	return p, nil
}

// parseRecord returns the id of the one record that speaks of MTA-STS, or "" (RFC 8461, section 3.1).
func parseRecord(texts []string) string {
	id, records := "", 0
	for _, text := range texts {
		version, rest, _ := strings.Cut(text, ";")
		if strings.TrimRight(version, " \t") != "v=STSv1" {
			continue
		}
		records++
		for field := range strings.SplitSeq(rest, ";") {
			if key, value, _ := strings.Cut(strings.TrimSpace(field), "="); strings.TrimSpace(key) == "id" && id == "" {
				id = strings.TrimSpace(value)
			}
		}
	}
	if records != 1 || len(id) > 32 || strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return ""
	}
	return id
}
