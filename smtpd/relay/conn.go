package relay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"kairan/smtpd/queue"
)

// conn is a conversation with a server.
type conn struct {
	Timeouts
	host string // for outcomes
	nc   net.Conn
	br   *bufio.Reader
	out  []byte // not yet written
	text []byte // of the reply read last
	tls  bool
	offers
	read, write deadline

	key      string // the domain or the next hop it was last used for
	endpoint string // target.endpoint
	sent     int    // copies it took
	most     int    // that it may take
	// report says that it does not fulfil what the domain demands, and carries reports about that alone.
	report bool
	// proven says that it was good for something: an earlier delivery, or a verdict on a copy.
	proven bool
	dirty  bool // a transaction is half open: RSET comes first
	idle   *time.Timer
}

// offers is what a server said to EHLO.
type offers struct {
	pipelining, eightBit, utf8, dsn, startTLS, sized bool
	size                                             int    // largest message, 0 unknown
	auth                                             string // mechanisms, with a blank around each
}

func newConn(nc net.Conn, host string, t Timeouts) *conn {
	return &conn{Timeouts: t, host: host, nc: nc, br: bufio.NewReaderSize(nc, maxReplyLine)}
}

// deadline remembers the one that is set, for setting it costs more than asking the time.
type deadline struct{ at time.Time }

// extend sets a deadline in d or up to a tenth earlier.
func (t *deadline) extend(d time.Duration, set func(time.Time) error) {
	want := time.Now().Add(d)
	if late := want.Sub(t.at); late >= 0 && late < d/10 {
		return
	}
	t.at = want
	set(want) // on an error the read or write fails too
}

// flush writes what was gathered.
func (c *conn) flush() error {
	b := c.out
	c.out = c.out[:0]
	return c.writeBlocks(b)
}

// writeError says that not all was written; the server may have answered what it got.
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

// writeBlocks writes b, with the time for a block for each part of it.
func (c *conn) writeBlocks(b []byte) error {
	const block = 64 << 10
	for len(b) > 0 {
		c.write.extend(c.Block, c.nc.SetWriteDeadline)
		n := min(len(b), block)
		if _, err := c.nc.Write(b[:n]); err != nil {
			return &writeError{err}
		}
		b = b[n:]
	}
	return nil
}

// reply waits for the server's next reply, up to d.
func (c *conn) reply(d time.Duration) (reply, error) { return c.replyLines(d, nil) }

func (c *conn) replyLines(d time.Duration, line func([]byte)) (reply, error) {
	c.read.extend(d, c.nc.SetReadDeadline)
	r, err := readReply(c.br, c.text, line)
	c.text = r.text
	return r, err
}

// command writes one line and waits for its reply.
func (c *conn) command(line string, d time.Duration) (reply, error) {
	c.out = append(append(c.out, line...), "\r\n"...)
	if err := c.flush(); err != nil {
		return reply{}, err
	}
	return c.reply(d)
}

// refusal is a server's reply to a step before the first transaction.
type refusal struct {
	step string
	queue.Outcome
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: %d %s %s", r.step, r.Code, r.Enhanced, r.Text)
}

func (c *conn) refused(step string, r reply) error {
	return &refusal{step: step, Outcome: r.outcome(c.host)}
}

// greet waits for the greeting and says EHLO.
func (c *conn) greet(hostname string) error {
	r, err := c.reply(c.Greeting)
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if r.class() != 2 {
		return c.refused("greeting", r)
	}
	return c.ehlo(hostname)
}

// ehlo learns what the server offers; what it said before is forgotten.
func (c *conn) ehlo(hostname string) error {
	c.offers = offers{}
	c.out = append(c.out, "EHLO "+hostname+"\r\n"...)
	if err := c.flush(); err != nil {
		return fmt.Errorf("EHLO: %w", err)
	}
	first := true
	r, err := c.replyLines(c.Greeting, func(line []byte) {
		if !first {
			c.offer(string(line))
		}
		first = false
	})
	if err != nil {
		return fmt.Errorf("EHLO: %w", err)
	}
	if r.class() == 5 {
		c.offers = offers{}
		if r, err = c.command("HELO "+hostname, c.Greeting); err != nil {
			return fmt.Errorf("HELO: %w", err)
		}
	}
	if r.class() != 2 {
		return c.refused("EHLO", r)
	}
	return nil
}

func (c *conn) offer(line string) {
	keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch strings.ToUpper(keyword) {
	case "PIPELINING":
		c.pipelining = true
	case "8BITMIME":
		c.eightBit = true
	case "SMTPUTF8":
		c.utf8 = true
	case "DSN":
		c.dsn = true
	case "AUTH":
		c.auth = " " + strings.ToUpper(value) + " "
	case "STARTTLS":
		c.startTLS = true
	case "SIZE":
		c.sized = true
		c.size, _ = strconv.Atoi(strings.TrimSpace(value)) // "" and nonsense: no limit known
	}
}

// starttls encrypts the conversation (RFC 3207).
func (c *conn) starttls(ctx context.Context, cfg *tls.Config) error {
	r, err := c.command("STARTTLS", c.Greeting)
	if err != nil {
		return fmt.Errorf("STARTTLS: %w", err)
	}
	if r.class() != 2 {
		return c.refused("STARTTLS", r)
	}
	if c.br.Buffered() > 0 {
		return fmt.Errorf("STARTTLS: the server spoke before the handshake") // RFC 3207, section 6
	}
	return c.handshake(ctx, cfg)
}

func (c *conn) handshake(ctx context.Context, cfg *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, c.Greeting)
	defer cancel()
	t := tls.Client(c.nc, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.nc, c.tls = t, true
	c.br.Reset(t)
	return nil
}

// close ends the conversation, politely if the server listens.
func (c *conn) close(polite bool) {
	if polite {
		c.nc.SetWriteDeadline(time.Now().Add(time.Second))
		c.nc.Write([]byte("QUIT\r\n"))
	}
	c.nc.Close()
}

// large is the size from which a message is not copied into the write buffer.
const large = 64 << 10

// appendBody gathers a message with its final dot; large ones are written meanwhile.
func (c *conn) appendBody(o *queue.Outgoing) error {
	for n, chunk := range o.Chunks {
		last := n == len(o.Chunks)-1
		switch {
		case !last || !o.Stuffed:
			c.out = appendStuffed(c.out, chunk)
		case len(chunk) < large:
			c.out = append(c.out, chunk...)
		default:
			if err := c.flush(); err != nil {
				return err
			}
			if err := c.writeBlocks(chunk); err != nil {
				return err
			}
		}
		if last && !bytes.HasSuffix(chunk, []byte("\r\n")) {
			c.out = append(c.out, "\r\n"...)
		}
	}
	c.out = append(c.out, ".\r\n"...)
	return nil
}

// appendStuffed appends lines with a dot added to those that begin with one (RFC 5321, section 4.5.2).
func appendStuffed(dst, b []byte) []byte {
	for len(b) > 0 {
		if b[0] == '.' {
			dst = append(dst, '.')
		}
		n := bytes.Index(b, []byte("\n."))
		if n < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:n+1]...)
		b = b[n+1:]
	}
	return dst
}
