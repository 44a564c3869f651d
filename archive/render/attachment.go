package render

import (
	"iter"

	"kairan/smtpd/message"
)

// Attachment is a part of a message that is not shown as its text.
type Attachment struct {
	Index int    // names the part within its message for ever: its place among the leaves of the MIME tree, from 1
	Name  string // file name, safe, "" without one
	Type  string // as declared, lower case; not to be believed
	Size  int    // bytes, decoded
}

// List returns the attachments of a message without their sizes, which cost decoding.
func List(msg *message.Message) []Attachment {
	var found []Attachment
	for i, p := range leaves(msg) {
		if !isText(p) {
			found = append(found, Attachment{Index: i, Name: p.Filename, Type: p.ContentType})
		}
	}
	return found
}

// Open returns one attachment of a message with its bytes, decoded. ok is false if index names none.
func Open(msg *message.Message, index int) (a Attachment, data []byte, ok bool) {
	for i, p := range leaves(msg) {
		if i == index && !isText(p) {
			data = p.Decode()
			return Attachment{Index: i, Name: p.Filename, Type: p.ContentType, Size: len(data)}, data, true
		}
	}
	return a, nil, false
}

// leaves yields the leaves of the MIME tree with their indexes.
func leaves(msg *message.Message) iter.Seq2[int, message.Part] {
	return func(yield func(int, message.Part) bool) {
		n := 0
		for _, p := range msg.Parts() {
			if p.IsMultipart() {
				continue
			}
			if n++; !yield(n, p) {
				return
			}
		}
	}
}

// isText reports whether a leaf is text of the message rather than a file sent with it.
func isText(p message.Part) bool {
	return (p.ContentType == "text/plain" || p.ContentType == "text/html") && p.Disposition != "attachment" && p.Filename == ""
}
