package smtpd

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"slices"
	"time"
)

// transfer is a message on its way in.
type transfer struct {
	open    bool
	start   time.Time
	arrived int64 // bytes read from the client since start
}

// deadline is when a client that sends just fast enough would have sent what arrived.
// One limit for all messages would be too short for a slow client with a large message,
// or too long for a client that sends nothing.
func (t *transfer) deadline(l *Limits) time.Time {
	seconds := float64(t.arrived) / float64(l.BytesPerSecond)
	return t.start.Add(l.Grace + time.Duration(seconds*float64(time.Second)))
}

var (
	bareReply = Reply{Code: 550, Enhanced: [3]int{5, 5, 2}, Text: "Message contains a bare CR or LF (RFC 5321, section 2.3.8)"}
	sizeReply = Reply{Code: 552, Enhanced: [3]int{5, 3, 4}, Text: "Message is too large"}
	longReply = Reply{Code: 554, Enhanced: [3]int{5, 6, 0}, Text: "Message contains a line that is too long"}
	fullReply = Reply{Code: 452, Enhanced: [3]int{4, 3, 1}, Text: "Too much mail at the moment, please try again later"}
	slowReply = Reply{Code: 421, Enhanced: [3]int{4, 4, 2}, Text: "Message came too slowly, closing connection"}
	lostReply = Reply{Code: 421, Enhanced: [3]int{4, 4, 2}, Text: "Connection lost"}
)

// inbound is the state of readMessage.
type inbound struct {
	conn    *conn
	raw     []byte
	refusal Reply // of the message once a fault was seen; the rest is then read and dropped
	total   int64
	held    int64 // of raw, counted in Server.held
	atStart bool  // the next byte begins a line: CRLF, or nothing, stands before it
	cr      bool  // the piece before was cut after a CR
	odd     bool  // the line before ended in CR CR LF
}

// readMessage reads until CRLF.CRLF, the only end of a message (RFC 5321, section 4.1.1.4),
// and takes away the dots that the client doubled (section 4.5.2).
// A refusal that is not OK is the answer to the message. Where the client's next bytes
// may belong to the message, the connection is marked as closing.
// done gives back the memory that was counted for the message.
func (c *conn) readMessage() (raw []byte, refusal Reply, done func()) {
	c.body = transfer{open: true, start: time.Now()}
	defer func() { c.body.open = false }()
	c.out.Flush() // 354 must not wait (RFC 2920, section 3.2); an error shows at the next read
	m := &inbound{conn: c, atStart: true}
	for {
		piece, err := c.in.ReadSlice('\n')
		cut := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !cut {
			c.closing = true
			m.refuse(lostReply)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				m.refusal = slowReply
			}
			return nil, m.refusal, m.release
		}
		m.total += int64(len(piece))
		if end := m.take(piece, cut); end {
			c.server.Stats.Bytes.Add(m.total)
			return m.raw, m.refusal, m.release
		}
		if m.total/2 > c.limits.MessageBytes {
			// A sender that hears 552 after its message gives up at once, one that is cut off
			// tries again. So some excess is read, but not without end.
			c.closing = true
			return nil, m.refusal, m.release
		}
	}
}

// take looks at a line, or a piece cut from a line that is longer than the buffer,
// and reports whether it ends the message.
func (m *inbound) take(piece []byte, cut bool) (end bool) {
	started, afterCR, afterOdd := m.atStart, m.cr, m.odd
	m.atStart, m.cr, m.odd = false, false, false
	if cut {
		m.cr = piece[len(piece)-1] == '\r'
		m.refuse(longReply)
		return false
	}
	text, crlf := bytes.CutSuffix(piece, []byte("\r\n"))
	m.atStart = crlf || afterCR && len(piece) == 1
	m.odd = bytes.HasSuffix(text, []byte("\r"))
	switch {
	case started && string(piece) == ".\r\n":
		// CR CR LF . CR LF is the end to us, but perhaps was not to the one who
		// passed the message on. What follows must not be taken for commands.
		m.conn.closing = m.conn.closing || afterOdd
		return true
	case !crlf || bytes.IndexByte(text, '\r') >= 0:
		m.refuse(bareReply)
	case len(piece) > m.conn.limits.LineBytes:
		m.refuse(longReply)
	case started && piece[0] == '.':
		m.keep(piece[1:])
	default:
		m.keep(piece)
	}
	return false
}

// keep appends to the message, within the limits of one and of all.
func (m *inbound) keep(line []byte) {
	if !m.refusal.OK() {
		return
	}
	size := int64(len(m.raw) + len(line))
	if size > m.conn.limits.MessageBytes {
		m.refuse(sizeReply)
		return
	}
	if size > m.held {
		// Memory is counted when it is allocated, in doubling steps.
		step := max(m.held, 8<<10)
		m.held += step
		if m.conn.server.held.Add(step) > m.conn.limits.InFlightBytes {
			m.refuse(fullReply)
			return
		}
		m.raw = slices.Grow(m.raw, int(step))
	}
	m.raw = append(m.raw, line...)
}

// refuse notes the first fault and frees the message.
func (m *inbound) refuse(r Reply) {
	if m.refusal.OK() {
		m.refusal = r
	}
	m.raw = nil
	m.release()
}

func (m *inbound) release() {
	m.conn.server.held.Add(-m.held)
	m.held = 0
}
