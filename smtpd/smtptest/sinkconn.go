package smtptest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// sinkConn is a connection to a sink.
type sinkConn struct {
	sink *Sink
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer

	open    bool // a transaction, since MAIL
	message Message
}

const sinkBuffer = 64 << 10

// errHangUp ends a connection.
var errHangUp = errors.New("hang up")

func newSinkConn(s *Sink, conn net.Conn) *sinkConn {
	c := &sinkConn{sink: s, conn: conn, out: bufio.NewWriterSize(conn, sinkBuffer)}
	c.in = bufio.NewReaderSize(flushing{c}, sinkBuffer)
	return c
}

// flushing sends pending replies before it waits for the client.
type flushing struct{ c *sinkConn }

func (f flushing) Read(b []byte) (int, error) {
	if err := f.c.out.Flush(); err != nil {
		return 0, err
	}
	return f.c.conn.Read(b)
}

func (c *sinkConn) serve() {
	defer func() { c.out.Flush() }()
	greeting := c.behave(AtConnect, Message{})
	if greeting.Code == 0 {
		greeting.Code, greeting.Text = 220, c.sink.config.Hostname+" ESMTP sink"
	} else {
		greeting.HangUpAfter = true
	}
	if _, err := c.answer(greeting, ""); err != nil {
		return
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return
		}
		if err := c.command(bytes.TrimRight(line, "\r\n")); err != nil {
			return
		}
	}
}

// behave asks the hook, if there is one.
func (c *sinkConn) behave(stage Stage, m Message) Behaviour {
	if c.sink.config.Behave == nil {
		return Behaviour{}
	}
	m = m.clone()
	m.Stage = stage
	return c.sink.config.Behave(m)
}

// answer does what a behaviour says, or accepts with the reply given.
// refused reports a reply of 4xx or 5xx.
func (c *sinkConn) answer(b Behaviour, accept string) (refused bool, err error) {
	if b.Delay > 0 {
		c.out.Flush()
	}
	if !c.sink.pause(b.Delay) || b.HangUp {
		return false, errHangUp
	}
	if b.Code == 0 {
		c.out.WriteString(accept)
	} else {
		fmt.Fprintf(c.out, "%d %s\r\n", b.Code, b.Text)
	}
	if b.Code >= 400 {
		c.sink.refused.Add(1)
	}
	if b.HangUpAfter {
		return false, errHangUp
	}
	return b.Code >= 400, nil
}

func (c *sinkConn) reply(line string) error {
	_, err := c.out.WriteString(line)
	return err
}

// command carries out a command line.
func (c *sinkConn) command(line []byte) error {
	verb, arg, _ := bytes.Cut(line, []byte(" "))
	switch {
	case is(verb, "MAIL"):
		return c.mail(arg)
	case is(verb, "RCPT"):
		return c.rcpt(arg)
	case is(verb, "DATA"):
		return c.data()
	case is(verb, "EHLO"):
		c.open = false
		c.message.Helo = string(arg)
		return c.hello()
	case is(verb, "HELO"):
		c.open = false
		c.message.Helo = string(arg)
		return c.reply("250 " + c.sink.config.Hostname + "\r\n")
	case is(verb, "RSET"):
		c.open = false
		return c.reply("250 2.0.0 Reset\r\n")
	case is(verb, "NOOP"):
		return c.reply("250 2.0.0 OK\r\n")
	case is(verb, "QUIT"):
		c.reply("221 2.0.0 Bye\r\n")
		return errHangUp
	case is(verb, "STARTTLS") && c.sink.config.TLS != nil && !c.message.TLS:
		return c.startTLS()
	}
	return c.reply("500 5.5.1 Command not recognised\r\n")
}

func is(verb []byte, name string) bool {
	return len(verb) == len(name) && strings.EqualFold(string(verb), name)
}

func (c *sinkConn) hello() error {
	offer := []string{"PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE"}
	if c.sink.config.TLS != nil && !c.message.TLS {
		offer = append(offer, "STARTTLS")
	}
	offer = slices.DeleteFunc(offer, func(e string) bool { return slices.Contains(c.sink.config.Omit, e) })
	lines := append([]string{c.sink.config.Hostname}, offer...)
	for _, line := range lines[:len(lines)-1] {
		c.reply("250-" + line + "\r\n")
	}
	return c.reply("250 " + lines[len(lines)-1] + "\r\n")
}

// startTLS forgets what was sent in plaintext (RFC 3207, section 4.2).
func (c *sinkConn) startTLS() error {
	c.reply("220 2.0.0 Go ahead\r\n")
	if err := c.out.Flush(); err != nil {
		return err
	}
	secure := tls.Server(c.conn, c.sink.config.TLS)
	if err := secure.Handshake(); err != nil {
		return err
	}
	c.conn, c.open = secure, false
	c.in.Reset(flushing{c})
	c.out.Reset(secure)
	c.message = Message{TLS: true}
	return nil
}

func (c *sinkConn) mail(arg []byte) error {
	path, params, ok := cutPath(arg, "FROM:")
	if !ok || c.open {
		return c.reply("503 5.5.1 Bad sequence or syntax of MAIL\r\n")
	}
	c.open = true
	c.message.From, c.message.Params = path, params
	c.message.To = c.message.To[:0]
	return c.reply("250 2.1.0 OK\r\n")
}

func (c *sinkConn) rcpt(arg []byte) error {
	path, _, ok := cutPath(arg, "TO:")
	if !ok || !c.open {
		return c.reply("503 5.5.1 Bad sequence or syntax of RCPT\r\n")
	}
	if c.sink.config.Behave != nil {
		one := c.message
		one.To = []string{path}
		refused, err := c.answer(c.behave(AtRcpt, one), "250 2.1.5 OK\r\n")
		if err != nil || refused {
			return err
		}
	} else {
		c.reply("250 2.1.5 OK\r\n")
	}
	c.message.To = append(c.message.To, path)
	return nil
}

// cutPath reads "FROM:<path> params".
func cutPath(arg []byte, keyword string) (path, params string, ok bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(string(arg[:len(keyword)]), keyword) {
		return "", "", false
	}
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(arg[len(keyword):], " "), []byte("<"))
	quoted := false
	for i := 0; ok && i < len(rest); i++ {
		switch {
		case quoted && rest[i] == '\\':
			i++
		case rest[i] == '"':
			quoted = !quoted
		case rest[i] == '>' && !quoted:
			return string(rest[:i]), string(bytes.TrimSpace(rest[i+1:])), true
		}
	}
	return "", "", false
}

func (c *sinkConn) data() error {
	if !c.open || len(c.message.To) == 0 {
		return c.reply("554 5.5.1 No valid recipients\r\n")
	}
	c.open = false
	before := c.behave(AtData, c.message)
	if before.HangUp {
		c.reply("354 Go ahead\r\n")
		c.in.ReadSlice('\n')
		return errHangUp
	}
	if refused, err := c.answer(before, "354 Go ahead\r\n"); err != nil || refused {
		return err
	}
	size, bare, err := c.receive()
	if err != nil {
		return err
	}
	after := c.behave(AtEnd, c.message)
	if after.takes() {
		c.sink.take(c.message, size, bare)
	}
	_, err = c.answer(after, "250 2.0.0 OK\r\n")
	return err
}

// receive reads a message until CRLF.CRLF.
func (c *sinkConn) receive() (size, bare int64, err error) {
	config := &c.sink.config
	keep := config.Record || config.OnMessage != nil || config.Behave != nil
	c.message.MessageID, c.message.At, c.message.Data = "", time.Now(), nil
	var data []byte
	started, header := true, true
	for {
		piece, err := c.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, 0, err
		}
		if started && string(piece) == ".\r\n" {
			c.message.Data = data
			return size, bare, nil
		}
		text, crlf := bytes.CutSuffix(piece, []byte("\r\n"))
		if !crlf && err == nil || bytes.IndexByte(text, '\r') >= 0 {
			bare++
		}
		if header && started {
			header = len(text) > 0
			c.noteMessageID(text)
		}
		if started && piece[0] == '.' {
			piece = piece[1:]
		}
		started = crlf
		size += int64(len(piece))
		if keep {
			data = append(data, piece...)
		}
	}
}

// noteMessageID takes the first Message-ID of the header.
func (c *sinkConn) noteMessageID(line []byte) {
	const name = "message-id:"
	if c.message.MessageID != "" || len(line) < len(name) || line[0]|0x20 != 'm' {
		return
	}
	if strings.EqualFold(string(line[:len(name)]), name) {
		c.message.MessageID = string(bytes.Trim(line[len(name):], " \t<>"))
	}
}
