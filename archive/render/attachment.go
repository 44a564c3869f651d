package render

import (
	"bytes"
	"html/template"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"

	"kairan/smtpd/message"
)

// Attachment is a part of a message that is not shown as its text.
type Attachment struct {
	Index int    // names the part within its message for ever: its place among the leaves of the MIME tree, from 1
	Name  string // file name, safe, "" without one
	Type  string // as declared, lower case; not to be believed
	Size  int    // bytes, decoded

	// What [Options].Files adds for a file of text, such as a patch.
	HTML  template.HTML
	Lines int
	Cut   bool // there is more of it
}

// endings are those of file names that attachments without one get.
var endings = map[string]string{
	"text/calendar": ".ics", "message/rfc822": ".eml", "text/plain": ".txt", "text/html": ".html", "text/csv": ".csv", "text/x-patch": ".patch",
	"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/zip": ".zip",
	"application/pgp-signature": ".asc", "application/pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m", "message/delivery-status": ".txt",
}

// FileName is the name of the file, and of one that has none a name that says what it is.
func (a Attachment) FileName() string {
	if a.Name != "" {
		return a.Name
	}
	return "attachment-" + strconv.Itoa(a.Index) + endings[a.Type]
}

// MayName reports whether an attachment, decoded to data, is text, in which addresses of people can be read: a file of text, a page, or a message.
func (a Attachment) MayName(data []byte) bool {
	named := slices.Contains(textNames, strings.ToLower(path.Ext(a.Name)))
	return (named || strings.HasPrefix(a.Type, "text/") || strings.HasPrefix(a.Type, "message/")) && bytes.IndexByte(data, 0) < 0
}

// Limits of the files whose text is shown with a message.
const (
	maxFileText  = 128 << 10 // bytes, of all together
	maxFileLines = 3000      // of all together
)

// textNames are endings of the names of files of text, which often come as application/octet-stream.
var textNames = []string{".patch", ".diff", ".txt", ".log", ".conf", ".cfg", ".md"}

// isTextFile reports whether an attachment, decoded to data, is plain text.
func isTextFile(p message.Part, data []byte) bool {
	named := slices.Contains(textNames, strings.ToLower(path.Ext(p.Filename)))
	plain := strings.HasPrefix(p.ContentType, "text/") && p.ContentType != "text/html"
	return (named || plain) && bytes.IndexByte(data, 0) < 0
}

// attach adds an attachment, with its text if that is asked for and there is room.
func (s *shower) attach(index int, p message.Part) {
	a := Attachment{Index: index, Name: s.filter(p.Filename), Type: s.filter(p.ContentType)}
	if !s.TextOnly {
		data := p.Decode()
		a.Size = len(data)
		if s.Files && s.fileLeft > 0 && s.fileLines > 0 && isTextFile(p, data) {
			text, _ := p.Text()
			s.show(&a, strings.TrimRight(text, "\n"))
		}
	}
	s.body.Attachments = append(s.body.Attachments, a)
}

// show sets the text of an attachment.
func (s *shower) show(a *Attachment, text string) {
	if len(text) > s.fileLeft {
		text, a.Cut = text[:s.fileLeft], true
	}
	text = s.filter(clean(text))
	lines := strings.Split(text, "\n")
	if len(lines) > s.fileLines {
		lines, a.Cut = lines[:s.fileLines], true
	}
	s.fileLeft -= len(text)
	s.fileLines -= len(lines)
	var b strings.Builder
	s.writePatch(&b, new(diff), lines, false)
	a.HTML, a.Lines = template.HTML(b.String()), len(lines)
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
