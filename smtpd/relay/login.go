package relay

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// login says name and password (RFC 4954), which nobody but the host we mean may hear.
func (c *conn) login(t target) error {
	if !c.tls || t.TLSPolicy != Required && t.TLSPolicy != Implicit {
		return errors.New("no login without TLS and a valid certificate")
	}
	b64 := base64.StdEncoding.EncodeToString
	var lines []string // one for each reply
	switch {
	case strings.Contains(c.auth, " PLAIN "):
		lines = []string{"AUTH PLAIN " + b64([]byte("\x00"+t.login.User+"\x00"+t.login.Password))} // RFC 4616
	case strings.Contains(c.auth, " LOGIN "):
		lines = []string{"AUTH LOGIN", b64([]byte(t.login.User)), b64([]byte(t.login.Password))}
	default:
		return fmt.Errorf("%s offers no login that we know (PLAIN, LOGIN) but %q", t.host, strings.TrimSpace(c.auth))
	}
	for n, line := range lines {
		r, err := c.command(line, c.Greeting)
		if err != nil {
			return fmt.Errorf("AUTH: %w", err)
		}
		want := 3
		if n == len(lines)-1 {
			want = 2
		}
		if r.class() != want {
			refused := &refusal{step: "AUTH", Outcome: r.outcome(c.host)}
			refused.Text = fmt.Sprintf("%s refuses the login of %s: %s", c.host, t.login.User, refused.Text)
			return refused
		}
	}
	return nil
}
