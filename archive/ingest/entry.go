package ingest

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"kairan/archive"
	"kairan/smtpd/message"
)

// week is how far Date and the top Received field may be apart for Date to be believed.
const week = 7 * 24 * time.Hour

// maxReplyWords is how many reply words may stand before a tag.
const maxReplyWords = 50

// entries makes entries of messages.
type entries struct {
	list      string
	tag       *regexp.Regexp // a list's tag with a number at the start of a subject
	pipermail bool
	now       time.Time
}

// tagOf matches "[name:123]", "[name 00123]", "【name:123】" and the like at the start of a subject, in half width. The number is the first group.
func tagOf(names []string) *regexp.Regexp {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(width.Fold.String(name))
	}
	return regexp.MustCompile(`(?i)^\s*[\[(【〔](?:` + strings.Join(quoted, "|") + `)[ :,.#_-]{0,3}(\d{1,9})[\])】〕]`)
}

// ownPost is what a post ID of Kairan's looks like.
var ownPost = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// entry reads what the archive wants to know about a message, and whether its author declines to be archived.
func (x *entries) entry(m Message) (e archive.Entry, declined bool) {
	e = archive.Entry{List: x.list, Raw: m.Raw}
	if m.Mangled {
		e.Raw = restoreFrom(e.Raw)
	}
	if x.pipermail {
		e.Old = archive.OldPipermail(m.Position)
	}
	if own := m.Own; own != nil {
		e.Number, e.ID, e.Received = own.Number, own.ID, own.Received
		if ownPost.MatchString(own.Post) {
			e.Post = own.Post
		}
		if e.Old == "" {
			e.Old = own.Old
		}
		return e, false
	}
	h := message.Parse(e.Raw).Header()
	e.ID = message.MessageID(h.Get("Message-ID"))
	e.Number = x.number(h)
	e.Received = x.received(m, h)
	return e, archive.Declined(h)
}

// received is when the list got a message: what Date says if it lies within a week of the top Received field, else that
// field. Without one it is Date, without either the envelope line, and in the end the age of the file. What lies in the
// future is not believed.
func (x *entries) received(m Message, h message.Header) time.Time {
	believed := func(t time.Time) bool { return t.Year() >= 1980 && t.Before(x.now.Add(24*time.Hour)) }
	sent, received := date(h.Get("Date")), time.Time{}
	if top := h.Get("Received"); top != "" {
		received = date(top[strings.LastIndexByte(top, ';')+1:])
	}
	switch {
	case believed(received) && believed(sent) && sent.Sub(received).Abs() <= week:
		return sent
	case believed(received):
		return received
	case believed(sent):
		return sent
	case believed(m.Envelope):
		return m.Envelope
	case believed(m.Modified):
		return m.Modified
	}
	return x.now
}

// number reads the post number that the former program gave the message, or 0.
func (x *entries) number(h message.Header) uint64 {
	for _, name := range []string{"X-Mail-Count", "X-ML-Count", "X-Sequence"} { // fml and its family, Sympa
		words := strings.Fields(h.Get(name))
		if len(words) == 0 || len(words) > 2 {
			continue
		}
		if n, err := strconv.ParseUint(words[len(words)-1], 10, 32); err == nil && n > 0 {
			return n
		}
	}
	subject := h.Text("Subject")
	for range maxReplyWords {
		rest, ok := message.CutReplyWord(subject)
		if !ok {
			break
		}
		subject = rest
	}
	found := x.tag.FindStringSubmatch(width.Fold.String(subject))
	if found == nil {
		return 0
	}
	n, err := strconv.ParseUint(found[1], 10, 32)
	if err != nil {
		return 0 // unreachable: nine digits are a number
	}
	return n
}

// mangledFrom is a From field as pipermail writes it.
var mangledFrom = regexp.MustCompile(`(?i)^(From:[ \t]*)([^\s"<>()]+) at ([^\s"<>()]+\.[^\s"<>()]+)(\s)`)

// restoreFrom gives the address in From its "@" back.
func restoreFrom(raw []byte) []byte {
	start := 0
	for line := range bytes.Lines(raw) {
		if isEmpty(line) {
			break
		}
		if at := mangledFrom.FindSubmatchIndex(line); at != nil {
			fixed := append(bytes.Clone(raw[:start+at[5]]), '@')
			return append(fixed, raw[start+at[6]:]...)
		}
		start += len(line)
	}
	return raw
}
