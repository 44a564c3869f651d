package archive

import (
	"bytes"

	"kairan/smtpd/message"
)

// maxWithin is how deep messages within messages are looked into; what lies deeper is taken as it is written.
const maxWithin = 10

// rewriteBody returns the body of a message with what leaf makes of the leaves of the MIME tree, where ok, and between of all else. It is the
// body itself if nothing changes.
func rewriteBody(msg *message.Message, leaf func(message.Part) (raw []byte, ok bool), between func([]byte) []byte) []byte {
	body := msg.Body()
	var out []byte
	done := 0
	for _, p := range msg.Parts() {
		if p.IsMultipart() || len(p.Raw) == 0 {
			continue
		}
		edited, ok := leaf(p)
		if !ok {
			continue
		}
		at := bytes.Index(body[done:], p.Raw)
		if at < 0 {
			continue // unreachable: parts come in the order of the body
		}
		out = append(append(out, between(body[done:done+at])...), edited...)
		done += at + len(p.Raw)
	}
	if done == 0 {
		return between(body)
	}
	return append(out, between(body[done:])...)
}

// rewriteWithin rewrites a message that is a part of another. ok is false if it stays as it is.
func rewriteWithin(p message.Part, rewrite func(raw []byte) []byte) (raw []byte, ok bool) {
	data := p.Decode()
	edited := rewrite(data)
	if bytes.Equal(edited, data) {
		return nil, false
	}
	return p.Encode(edited), true
}

// rewriteText edits a text, whatever its charset. The bytes it returns are decoded, and in the charset that they were in if that
// can hold them, else in UTF-8, which readers of mail guess where the charset does not fit. ok is false if edit changes nothing.
func rewriteText(p message.Part, edit func(string) string) (data []byte, ok bool) {
	was := p.Decode()
	text, charset := message.DecodeCharset(p.Params["charset"], was)
	edited := edit(text)
	if edited == text {
		return nil, false
	}
	if charset != "UTF-8" && charset != "US-ASCII" {
		if data, ok = message.EncodeCharset(charset, edited); ok {
			return data, true
		}
	}
	data = []byte(edit(string(was))) // suffices for charsets that ASCII is a part of
	if again, _ := message.DecodeCharset(p.Params["charset"], data); edit(again) != again {
		data = []byte(edited)
	}
	return data, true
}
