package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// client speaks just enough SMTP for a server that we know.
type client struct {
	net.Conn
	in  *bufio.Reader
	out []byte // not yet sent
}

// dial connects and says hello, which is EHLO or LHLO.
func dial(ctx context.Context, addr, hello string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &client{Conn: conn, in: bufio.NewReader(conn)}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	err = c.expect(220)
	if err == nil {
		c.out = append(c.out, hello+" client.example.com\r\n"...)
		err = c.expect(250)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	return c, nil
}

// expect sends what is due and reads a reply for each of the codes.
func (c *client) expect(codes ...int) error {
	if len(c.out) > 0 {
		if _, err := c.Write(c.out); err != nil {
			return err
		}
		c.out = c.out[:0]
	}
	for _, code := range codes {
		for more := true; more; {
			line, err := c.in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if len(line) < 4 || int(line[0]-'0')*100+int(line[1]-'0')*10+int(line[2]-'0') != code {
				return fmt.Errorf("got %q, want %d", line, code)
			}
			more = line[3] == '-'
		}
	}
	return nil
}

// poster sends posts of postSize bytes, each with a Message-ID and a text of its own.
type poster struct {
	*client
	run string // makes Message-IDs its own
	n   int
}

const postSize = 4 << 10

// newPoster connects to a server that takes posts; hello is as for dial.
func newPoster(ctx context.Context, addr, hello string) (*poster, error) {
	c, err := dial(ctx, addr, hello)
	return &poster{client: c, run: fmt.Sprint(time.Now().UnixNano())}, err
}

// post sends one post and returns when it was accepted, and how long that took from DATA on.
func (p *poster) post(to string) (accepted time.Time, took time.Duration, err error) {
	p.n++
	p.out = fmt.Appendf(p.out, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\n", posterAddr, to)
	if err := p.expect(250, 250); err != nil {
		return accepted, 0, fmt.Errorf("post to %s: %w", to, err)
	}
	begin := time.Now()
	p.out = append(p.out, "DATA\r\n"...)
	if err = p.expect(354); err == nil {
		p.out = append(appendMessage(p.out, fmt.Sprintf("%s.%d", p.run, p.n), to, postSize), ".\r\n"...)
		err = p.expect(250)
	}
	if err != nil {
		return accepted, 0, fmt.Errorf("post to %s: %w", to, err)
	}
	accepted = time.Now()
	return accepted, accepted.Sub(begin), nil
}

// appendMessage appends a message of about size bytes.
func appendMessage(b []byte, id, to string, size int) []byte {
	end := len(b) + size
	b = fmt.Appendf(b, "From: Ann <%s>\r\nTo: <%s>\r\nSubject: Measuring %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis is %[3]s.\r\n",
		posterAddr, to, id, time.Now().Format(time.RFC1123Z), id, posterDomain)
	const line = "A line of the text that everybody on the list is going to read.\r\n"
	if n := (end - len(b)) / len(line); n > 0 {
		b = append(b, strings.Repeat(line, n)...)
	}
	return b
}
