package rules

import (
	"strings"
	"unicode/utf8"

	"kairan/list"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// Bounds of what is taken from a message.
const (
	maxExcerpt = 2 << 10
	maxTo      = 1000
)

// Gather returns the facts that the message and its envelope tell. What the store, the network and the checks of
// authentication know is for the caller to add.
func Gather(msg *message.Message, env *smtpd.Envelope) Facts {
	size := len(msg.Raw())
	word, msg := list.TakeApproval(msg)
	raw, h := msg.Raw(), msg.Header()
	f := Facts{
		Header:  raw[:len(raw)-len(msg.Body())],
		Excerpt: clip(strings.TrimSpace(msg.Text())),
		Size:    size,
		Approve: strings.EqualFold(word, "yes"),
		Subject: h.Text("Subject"),
		Sender:  env.From,
	}
	f.Author, f.Froms = author(h)
	for _, name := range []string{"To", "Cc"} {
		for _, field := range h.All(name) {
			boxes, _ := address.ParseList(field.Value(), message.DecodeHeader) // what can be read counts
			for _, box := range boxes[:min(len(boxes), maxTo-len(f.To))] {
				f.To = append(f.To, box.Address)
			}
		}
	}
	return f
}

// author returns the address in From and how many there are. What cannot be read counts as one more: another
// program may read somebody else there.
func author(h message.Header) (a address.Address, froms int) {
	for _, field := range h.All("From") {
		boxes, err := address.ParseList(field.Value(), message.DecodeHeader)
		for _, box := range boxes {
			a = box.Address
			froms++
		}
		if err != nil {
			froms++
		}
	}
	if froms != 1 {
		return address.Address{}, froms
	}
	return a, froms
}

// clip cuts s to maxExcerpt bytes between two characters.
func clip(s string) string {
	if len(s) <= maxExcerpt {
		return s
	}
	n := maxExcerpt
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
