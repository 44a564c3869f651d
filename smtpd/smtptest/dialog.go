package smtptest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Dialog plays a scripted client on conn and returns an error that names the first line
// of the script that did not come true. It closes conn. A script has one step per line:
//
//	# a comment
//	C: EHLO mail.example.com     send the line, with CRLF
//	C= "a\r\n\n.\n"              send the bytes of a Go string, as they are
//	C* 300 "x\r\n"               send the bytes of a Go string as often as said
//	S: 250-*                     expect a line; * stands for any text
//	S* 250                       expect lines up to the last one of a reply with this code
//	STARTTLS                     shake hands as a TLS client that believes any certificate
//	S.                           expect that the server closes the connection
//
// Nothing is read between two C steps, so they are pipelined.
func Dialog(conn net.Conn, script string) error {
	d := &dialog{conn: conn, in: bufio.NewReader(conn)}
	defer func() { d.conn.Close() }()
	for i, step := range strings.Split(script, "\n") {
		step = strings.TrimRight(step, "\r")
		if err := d.play(step); err != nil {
			return fmt.Errorf("line %d, %q: %w", i+1, step, err)
		}
	}
	return nil
}

// patience is how long a step may take.
const patience = 20 * time.Second

type dialog struct {
	conn net.Conn
	in   *bufio.Reader
}

func (d *dialog) play(step string) error {
	d.conn.SetDeadline(time.Now().Add(patience))
	verb, arg, _ := strings.Cut(step, " ")
	switch verb {
	case "", "#":
		return nil
	case "C:":
		return d.send(arg + "\r\n")
	case "C=":
		text, err := strconv.Unquote(arg)
		if err != nil {
			return fmt.Errorf("not a Go string: %w", err)
		}
		return d.send(text)
	case "C*":
		count, quoted, _ := strings.Cut(arg, " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return fmt.Errorf("not a count: %w", err)
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return fmt.Errorf("not a Go string: %w", err)
		}
		return d.send(strings.Repeat(text, n))
	case "S:":
		return d.expect(arg)
	case "S*":
		return d.expectReply(arg)
	case "STARTTLS":
		return d.startTLS()
	case "S.":
		return d.expectEnd()
	}
	return errors.New("no such step")
}

func (d *dialog) send(text string) error {
	_, err := io.WriteString(d.conn, text)
	return err
}

func (d *dialog) line() (string, error) {
	line, err := d.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (d *dialog) expect(pattern string) error {
	line, err := d.line()
	if err != nil {
		return fmt.Errorf("got %q: %w", line, err)
	}
	if !match(pattern, line) {
		return fmt.Errorf("got %q", line)
	}
	return nil
}

func (d *dialog) expectReply(code string) error {
	for {
		line, err := d.line()
		if err != nil || !strings.HasPrefix(line, code) {
			return fmt.Errorf("got %q: %v", line, err)
		}
		if !strings.HasPrefix(line, code+"-") {
			return nil
		}
	}
}

// expectEnd takes a reset for an end too: that is how TCP tells of bytes that nobody read.
func (d *dialog) expectEnd() error {
	line, err := d.line()
	if timeout, ok := errors.AsType[net.Error](err); err == nil || ok && timeout.Timeout() {
		return fmt.Errorf("got %q, want the end: %v", line, err)
	}
	return nil
}

func (d *dialog) startTLS() error {
	secure := tls.Client(d.conn, &tls.Config{InsecureSkipVerify: true})
	if err := secure.Handshake(); err != nil {
		return err
	}
	d.conn, d.in = secure, bufio.NewReader(secure)
	return nil
}

// match reports whether line is pattern with any text for each "*".
func match(pattern, line string) bool {
	pieces := strings.Split(pattern, "*")
	last := len(pieces) - 1
	line, ok := strings.CutPrefix(line, pieces[0])
	if !ok || last == 0 {
		return ok && line == ""
	}
	for _, piece := range pieces[1:last] {
		if _, line, ok = strings.Cut(line, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(line, pieces[last])
}
