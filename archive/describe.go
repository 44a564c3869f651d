package archive

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kairan/archive/mbox"
	"kairan/archive/render"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// Limits of what the index keeps of a message.
const (
	maxParents = 50
	maxID      = 998 // bytes; a line of a message holds no more (RFC 5322, section 2.1.1)
	maxText    = 1000
)

// described is a message with what its place in a thread depends on.
type described struct {
	Message
	base  string   // base subject in lower case; "" if it forwards something, which takes no answers from what it forwards
	reply bool     // the subject has a reply word
	kin   []string // Message-IDs: who refers to one that is missing, too, is likely to be of the same thread
	raw   []byte   // the message, while it is to be written
}

// describe reads what the index keeps of a message, msg. It looks at the record alone.
func describe(rec mbox.Record, msg *message.Message) *described {
	h := msg.Header()
	d := &described{Message: Message{
		Seq: rec.Seq, Post: rec.Post, Number: rec.Number, Old: rec.Old,
		ID:       strings.ToValidUTF8(rec.ID, "\ufffd"),
		Received: rec.Received.UTC(),
		Subject:  PublicText(clip(h.Text("Subject"), maxText)), // all readers of rows see it
		Parents:  parents(h, rec.ID),
		Attached: len(render.List(msg)),
	}}
	d.Date = believable(msg, d.Received)
	if from, _ := address.ParseList(h.Get("From"), h.Decode); len(from) > 0 {
		d.FromName, d.FromAddr = clip(from[0].Name, maxText), from[0].Address.String()
	} else {
		d.FromName = clip(nameAlone(h.Text("From")), maxText)
	}
	d.kin = kin(h)
	if base, reply := message.BaseSubject(d.Subject); !message.IsForward(d.Subject) {
		d.base, d.reply = strings.ToLower(base), reply
	}
	return d
}

// nameAlone returns the name in a From field that has no address to be read: the comment, what stands before "<", or all of it.
func nameAlone(from string) string {
	before, angle, _ := strings.Cut(from, "<")
	name := strings.Trim(before, "\" \t")
	if _, comment, ok := strings.Cut(before, "("); ok && strings.HasSuffix(strings.TrimSpace(comment), ")") {
		name = strings.TrimSuffix(strings.TrimSpace(comment), ")")
	}
	if name == "" {
		name = strings.Trim(angle, "> \t")
	}
	return strings.Join(strings.Fields(name), " ")
}

// Declined reports whether the author of a message asks that it be in no archive: "X-No-Archive: yes", "Archive: no".
func Declined(h message.Header) bool {
	asked := len(h.All("X-No-Archive")) > 0 && !strings.EqualFold(h.Get("X-No-Archive"), "no")
	return asked || strings.EqualFold(h.Get("Archive"), "no")
}

// believable returns the Date field if it lies between a week before and a day after the receipt.
func believable(msg *message.Message, received time.Time) time.Time {
	t, ok := msg.Date()
	if !ok || t.Before(received.AddDate(0, 0, -7)) || t.After(received.AddDate(0, 0, 1)) {
		return received
	}
	return t.UTC()
}

// parents returns the Message-IDs that a message refers to, nearest last. Of too
// many it keeps the first, where the thread began, and the nearest.
func parents(h message.Header, own string) []string {
	refs := message.MessageIDs(h.Get("References"))
	for _, reply := range message.MessageIDs(h.Get("In-Reply-To")) { // an address of old programs, who it is from, may stand before it
		if !slices.Contains(refs, reply) {
			refs = append(refs, reply)
		}
	}
	seen := map[string]bool{own: true}
	refs = slices.DeleteFunc(refs, func(id string) bool {
		drop := seen[id] || id == "" || len(id) > maxID || !utf8.ValidString(id)
		seen[id] = true
		return drop
	})
	if len(refs) > maxParents {
		refs = append(refs[:1:1], refs[len(refs)-maxParents+1:]...)
	}
	return refs
}

// kin returns the Message-IDs that a message shares with others of its thread, whether they are there or not. Beside text
// in In-Reply-To there may be a person's address; and whoever answers a digest answers something in it.
func kin(h message.Header) []string {
	refs := message.MessageIDs(h.Get("References"))
	if reply := h.Get("In-Reply-To"); strings.HasPrefix(reply, "<") && strings.IndexByte(reply, '>') == len(reply)-1 {
		refs = append(refs, message.MessageID(reply))
	}
	return slices.DeleteFunc(refs, func(id string) bool { return strings.HasPrefix(id, "mailman.") })
}

// clip shortens s to n bytes without breaking a character.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
