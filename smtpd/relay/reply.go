package relay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"kairan/smtpd/queue"
)

const (
	maxReplyLine  = 2048 // bytes; RFC 5321, section 4.5.3.1.5 says 512
	maxReplyLines = 100
	maxReplyText  = 500 // bytes kept
)

var errReply = errors.New("the server's reply cannot be understood")

// reply is what a server answered. Its text is only valid until the next one is read.
type reply struct {
	code int
	text []byte // of all lines, joined with spaces, without control characters
}

func (r reply) class() int { return r.code / 100 }

// readReply reads a reply of one or more lines (RFC 5321, section 4.2) into buf.
// line, where not nil, is called with the text of each.
func readReply(br *bufio.Reader, buf []byte, line func([]byte)) (reply, error) {
	r := reply{text: buf[:0]}
	for range maxReplyLines {
		b, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return r, fmt.Errorf("%w: a line of more than %d bytes", errReply, maxReplyLine)
		}
		if err != nil {
			return r, err
		}
		b = bytes.TrimRight(b, "\r\n")
		code, more, ok := parseLine(b)
		if !ok || r.code != 0 && r.code != code {
			return r, fmt.Errorf("%w: %q", errReply, clean(nil, b[:min(len(b), 80)]))
		}
		r.code = code
		text := b[min(4, len(b)):]
		if line != nil {
			line(text)
		}
		r.add(text)
		if !more {
			return r, nil
		}
	}
	return r, fmt.Errorf("%w: more than %d lines", errReply, maxReplyLines)
}

func parseLine(b []byte) (code int, more, ok bool) {
	if len(b) < 3 || b[0] < '2' || b[0] > '5' || !digit(b[1]) || !digit(b[2]) {
		return 0, false, false
	}
	code = int(b[0]-'0')*100 + int(b[1]-'0')*10 + int(b[2]-'0')
	if len(b) == 3 || b[3] == ' ' {
		return code, false, true
	}
	return code, true, b[3] == '-'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// add appends a line's text; of the lines after the first without their enhanced code.
func (r *reply) add(text []byte) {
	if len(r.text) > 0 {
		if code := enhanced(r.code, text); code != "" {
			text = text[min(len(code)+1, len(text)):]
		}
		r.text = append(r.text, ' ')
	}
	if room := maxReplyText - len(r.text); len(text) > room {
		text = text[:max(room, 0)]
	}
	r.text = clean(r.text, text)
}

// clean appends b with control characters made blanks.
func clean(dst, b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

// enhanced returns the enhanced status code at the start of text (RFC 2034) if it agrees with the code, or "".
func enhanced(code int, text []byte) string {
	if len(text) < 5 || int(text[0]-'0') != code/100 || text[1] != '.' {
		return ""
	}
	end := bytes.IndexByte(text, ' ')
	if end < 0 {
		end = len(text)
	}
	parts := bytes.Split(text[:min(end, 10)], []byte("."))
	if len(parts) != 3 {
		return ""
	}
	for _, p := range parts {
		if len(p) < 1 || len(p) > 3 || bytes.ContainsFunc(p, func(r rune) bool { return r < '0' || r > '9' }) {
			return ""
		}
	}
	return string(text[:end])
}

// outcome is what a reply that ends a transaction means for its copy.
func (r reply) outcome(host string) queue.Outcome {
	out := queue.Outcome{Code: r.code, Host: host, At: time.Now(), Enhanced: enhanced(r.code, r.text)}
	out.Text = strings.ToValidUTF8(string(bytes.TrimSpace(r.text[min(len(out.Enhanced), len(r.text)):])), "?")
	switch r.class() {
	case 2:
		out.Status = queue.Delivered
	case 5:
		out.Status = queue.Failed
	default:
		out.Status = queue.Deferred
	}
	return out
}

// noReply is the outcome of an attempt that a server's reply did not decide.
func noReply(status queue.Status, enhanced, host, text string) queue.Outcome {
	return queue.Outcome{Status: status, Enhanced: enhanced, Host: host, Text: text, At: time.Now()}
}

// ourTrouble is the outcome of an attempt that came to nothing because of us.
func ourTrouble(enhanced, host, text string) queue.Outcome {
	out := noReply(queue.Deferred, enhanced, host, text)
	out.Ours = true
	return out
}
