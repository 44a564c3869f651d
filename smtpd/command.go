package smtpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"kairan/smtpd/address"
)

// go-smtp gets a constant instead of each path: its parser takes quotes away, takes any
// domain, and repeats what it read in its replies. The address that address.Parse read
// goes to the session beside it.
const (
	forwardMail = "MAIL FROM:<client@client.invalid>"
	forwardRcpt = "RCPT TO:<client@client.invalid>"
)

// nextCommand returns the next command that go-smtp is to carry out, and answers
// those that it is not. io.EOF ends the connection.
func (c *conn) nextCommand() (string, error) {
	for {
		c.answered = false
		if c.closing {
			return "", io.EOF
		}
		if r := c.overdrawn(); !r.OK() {
			return "", c.hangUp(r)
		}
		line, err := c.readLine()
		if err != nil {
			return "", err
		}
		if line == "" {
			continue
		}
		c.log.Debug("command", "line", line)
		forward, err := c.vet(line)
		if err != nil {
			return "", err
		}
		if forward != "" {
			return forward, nil
		}
	}
}

// overdrawn says 421 to a client that used up what it may, or that must go.
func (c *conn) overdrawn() Reply {
	busy := [3]int{4, 7, 0}
	switch {
	case c.badCmds > c.limits.BadCommands:
		return Reply{Code: 421, Enhanced: busy, Text: "Too many errors, closing connection"}
	case c.idleCmds > c.limits.IdleCommands:
		return Reply{Code: 421, Enhanced: busy, Text: "Too many commands without mail, closing connection"}
	case c.session.env == nil && c.server.closing.Load():
		return shutdownReply
	}
	return Reply{}
}

var shutdownReply = Reply{Code: 421, Enhanced: [3]int{4, 3, 2}, Text: "Shutting down, please try again later"}

// readLine reads a command line. It returns "" for a line it answered itself.
func (c *conn) readLine() (string, error) {
	c.expiry = time.Now().Add(c.limits.Idle)
	c.idle = c.session.env == nil
	b, err := c.in.ReadSlice('\n')
	c.idle = false
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", c.hangUp(Reply{Code: 500, Enhanced: [3]int{5, 5, 2}, Text: "Line too long, closing connection"})
	case errors.Is(err, errShutdown):
		return "", c.hangUp(shutdownReply)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "", c.hangUp(Reply{Code: 421, Enhanced: [3]int{4, 4, 2}, Text: "Idle for too long, closing connection"})
	case err != nil:
		c.closing = true
		return "", io.EOF
	case len(b) > c.limits.LineBytes:
		c.refuse(500, [3]int{5, 5, 2}, "Line too long")
		return "", nil
	}
	line, crlf := strings.CutSuffix(string(b), "\r\n")
	if !crlf || strings.ContainsFunc(line, isControl) || !utf8.ValidString(line) {
		// Only CRLF ends a command (RFC 5321, section 2.3.8).
		c.refuse(500, [3]int{5, 5, 2}, "Bare CR or LF, control character or broken UTF-8 in a command")
		return "", nil
	}
	if strings.TrimSpace(line) == "" {
		c.refuse(500, [3]int{5, 5, 2}, "Command missing")
		return "", nil
	}
	return line, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// refuse answers a command that is wrong. These count.
func (c *conn) refuse(code int, enhanced [3]int, text string) {
	c.badCmds++
	c.answer(Reply{Code: code, Enhanced: enhanced, Text: text})
}

// vet returns what go-smtp is to carry out for a command, or "" when it was answered here.
func (c *conn) vet(line string) (forward string, err error) {
	verb, arg, _ := strings.Cut(line, " ")
	verb, arg = strings.ToUpper(verb), strings.TrimSpace(arg)
	switch verb {
	case "EHLO", "HELO", "LHLO":
		return c.vetHello(verb, arg), nil
	case "MAIL":
		return c.vetMail(arg), nil
	case "RCPT":
		return c.vetRcpt(arg), nil
	case "DATA":
		return c.vetData(arg), nil
	case "RSET", "NOOP", "VRFY":
		c.idleCmds++
		return verb, nil
	case "QUIT":
		return verb, nil
	case "STARTTLS":
		return c.vetStartTLS(arg)
	case "BDAT":
		// CHUNKING is not offered. What follows BDAT is not commands, so there is no way to go on.
		return "", c.hangUp(Reply{Code: 502, Enhanced: [3]int{5, 5, 1}, Text: "BDAT not implemented, closing connection"})
	case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT":
		// A browser that somebody sent here; its header and body are not commands.
		return "", c.hangUp(Reply{Code: 421, Enhanced: [3]int{4, 7, 0}, Text: "This is not a web server"})
	case "AUTH", "EXPN", "HELP", "SEND", "SOML", "SAML", "TURN", "ETRN":
		c.refuse(502, [3]int{5, 5, 1}, "Command not implemented")
	default:
		c.refuse(500, [3]int{5, 5, 1}, "Command not recognised")
	}
	return "", nil
}

// vetHello checks and answers EHLO, HELO and LHLO (RFC 5321, section 4.1.1.1).
// go-smtp carries them out too, since they reset the transaction.
func (c *conn) vetHello(verb, arg string) string {
	if c.server.LMTP != (verb == "LHLO") {
		c.refuse(500, [3]int{5, 5, 1}, "This server speaks "+c.server.protocol())
		return ""
	}
	name, _, _ := strings.Cut(arg, " ")
	if name == "" || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return !isNameChar(r) }) {
		c.refuse(501, [3]int{5, 5, 4}, "Host name or address literal expected")
		return ""
	}
	c.helo, c.basic = name, verb == "HELO"
	c.idleCmds++
	lines := []string{c.server.Hostname}
	if !c.basic {
		lines = append(lines, c.extensions()...)
	}
	for i, line := range lines {
		mark := "-"
		if i == len(lines)-1 {
			mark = " "
		}
		c.say("250" + mark + line + "\r\n")
	}
	c.answered = true
	return verb + " client"
}

// extensions are offered in the reply to EHLO. DSN (RFC 3461) is not among them: to
// whoever asks for a report on delivery, the host before us then says "relayed", which is true.
func (c *conn) extensions() []string {
	e := []string{"PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
	if c.server.TLS != nil && !c.tls {
		e = append(e, "STARTTLS")
	}
	return append(e, fmt.Sprintf("LIMITS RCPTMAX=%d", c.limits.Recipients), // RFC 9422
		fmt.Sprintf("SIZE %d", c.limits.MessageBytes))
}

func (s *Server) protocol() string {
	if s.LMTP {
		return "LMTP"
	}
	return "SMTP"
}

func (c *conn) vetMail(arg string) string {
	if c.helo == "" {
		c.refuse(503, [3]int{5, 5, 1}, "Say hello first")
		return ""
	}
	if c.session.env != nil {
		c.refuse(503, [3]int{5, 5, 1}, "Nested MAIL command")
		return ""
	}
	path, rest, ok := cutArgument(arg, "FROM:")
	if !ok {
		c.refuse(501, [3]int{5, 5, 4}, "Syntax: MAIL FROM:<address>")
		return ""
	}
	params, fault := parseMailParams(rest)
	if !fault.OK() {
		c.refuse(fault.Code, fault.Enhanced, fault.Text)
		return ""
	}
	if params.size > c.limits.MessageBytes {
		c.answer(sizeReply)
		return ""
	}
	var from address.Address
	if path != "" {
		if from, ok = c.vetAddress(path, params.utf8, [3]int{5, 1, 7}); !ok {
			return ""
		}
	}
	c.session.from, c.session.utf8 = from, params.utf8
	return forwardMail
}

func (c *conn) vetRcpt(arg string) string {
	env := c.session.env
	if env == nil {
		c.refuse(503, [3]int{5, 5, 1}, "MAIL first")
		return ""
	}
	path, rest, ok := cutArgument(arg, "TO:")
	if !ok {
		c.refuse(501, [3]int{5, 5, 4}, "Syntax: RCPT TO:<address>")
		return ""
	}
	if fault := parseRcptParams(rest); !fault.OK() {
		c.refuse(fault.Code, fault.Enhanced, fault.Text)
		return ""
	}
	if strings.EqualFold(path, "postmaster") { // RFC 5321, section 4.5.1
		path += "@" + c.server.Hostname
	}
	to, ok := c.vetAddress(path, env.UTF8, [3]int{5, 1, 3})
	if !ok {
		return ""
	}
	c.session.to = to
	return forwardRcpt
}

// cutArgument cuts "FROM:" or "TO:" off and splits the rest.
func cutArgument(arg, keyword string) (path, params string, ok bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", "", false
	}
	return cutPath(arg[len(keyword):])
}

// vetAddress reads an address, or refuses the command.
func (c *conn) vetAddress(path string, smtputf8 bool, enhanced [3]int) (address.Address, bool) {
	if !smtputf8 && strings.ContainsFunc(path, func(r rune) bool { return r >= utf8.RuneSelf }) {
		c.refuse(553, [3]int{5, 6, 7}, "Address is not ASCII, and SMTPUTF8 was not asked for") // RFC 6531, section 3.5
		return address.Address{}, false
	}
	a, err := address.Parse(path)
	if err != nil || a.IsNull() {
		c.refuse(553, enhanced, "Address not valid")
		return address.Address{}, false
	}
	return a, true
}

func (c *conn) vetData(arg string) string {
	switch env := c.session.env; {
	case arg != "":
		c.refuse(501, [3]int{5, 5, 4}, "DATA takes no argument")
	case env == nil:
		c.refuse(503, [3]int{5, 5, 1}, "MAIL first")
	case len(env.To) == 0:
		// Not counted: a client that pipelines cannot know (RFC 2920, section 3.1).
		c.answer(Reply{Code: 554, Enhanced: [3]int{5, 5, 1}, Text: "No valid recipients"})
	default:
		return "DATA"
	}
	return ""
}

// vetStartTLS answers STARTTLS. go-smtp hears RSET, whose reply is dropped, as the client
// must say hello again (RFC 3207, section 4.2).
func (c *conn) vetStartTLS(arg string) (string, error) {
	switch {
	case c.server.TLS == nil || c.basic || c.helo == "":
		c.refuse(502, [3]int{5, 5, 1}, "STARTTLS not offered")
	case c.tls:
		c.refuse(503, [3]int{5, 5, 1}, "TLS is in use already")
	case arg != "":
		c.refuse(501, [3]int{5, 5, 4}, "STARTTLS takes no argument")
	default:
		if err := c.startTLS(); err != nil {
			return "", io.EOF
		}
		c.answered = true
		return "RSET", nil
	}
	return "", nil
}
