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
	// Part names the part within its message for ever: its place among the leaves of the MIME tree, from 1. In a message that is
	// attached, and in a text with uuencoded files, places are counted anew: "2.1" is the first in the second leaf.
	Part string
	Name string // file name, safe, "" without one
	Type string // as declared, lower case; not to be believed
	Size int    // bytes, decoded

	// What [Options].Files adds for a file of text, such as a patch.
	HTML  template.HTML
	Lines int
	Cut   bool // there is more of it

	Message *Enclosed // what an attached message says; nil where it is none, or more than is shown
}

// endings are those of file names that attachments without one get.
var endings = map[string]string{
	"text/calendar": ".ics", "message/rfc822": ".eml", "message/global": ".eml", "message/news": ".eml", "text/plain": ".txt", "text/html": ".html", "text/csv": ".csv", "text/x-patch": ".patch",
	"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/zip": ".zip",
	"application/pgp-signature": ".asc", "application/pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m", "message/delivery-status": ".txt",
}

// FileName is the name of the file, and of one that has none a name that says what it is.
func (a Attachment) FileName() string {
	if a.Name != "" {
		return a.Name
	}
	return "attachment-" + a.Part + endings[a.Type]
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
func (s *shower) attach(path string, p message.Part) {
	a := Attachment{Part: path, Name: s.filter(p.Filename), Type: s.filter(p.ContentType)}
	if !s.TextOnly || p.IsMessage() {
		data := p.Decode()
		a.Size = len(data)
		switch {
		case p.IsMessage():
			a.Message = s.enclosed(path, data)
		case s.Files && s.fileLeft > 0 && s.fileLines > 0 && isTextFile(p, data):
			text, _ := p.Text()
			s.show(&a, strings.TrimRight(text, "\n"))
		}
	}
	s.body.Attachments = append(s.body.Attachments, a)
}

func attachment(path string, p message.Part) Attachment {
	return Attachment{Part: path, Name: p.Filename, Type: p.ContentType}
}

// uuencoded takes files out of a text, which become attachments.
func (s *shower) uuencoded(path, text string) string {
	var rest strings.Builder
	at := 0
	for i, p := range uuencoded(text) {
		rest.WriteString(text[at:p.from])
		at = p.to
		s.attach(path+"."+strconv.Itoa(i+1), p.Part)
	}
	if at == 0 {
		return text
	}
	return rest.String() + text[at:]
}

// uuencodedPart is a file in a text, as if it were a part.
type uuencodedPart struct {
	message.Part
	from, to int
}

func uuencoded(text string) (all []uuencodedPart) {
	for _, f := range message.FindUuencoded(text) {
		p := message.Part{ContentType: "application/octet-stream", Filename: f.Name, Raw: f.Data}
		all = append(all, uuencodedPart{p, f.From, f.To})
	}
	return all
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

// List returns the attachments of a message without their sizes, which cost decoding, and without those of messages that are attached.
func List(msg *message.Message) []Attachment {
	var found []Attachment
	for i, p := range leaves(msg) {
		path := strconv.Itoa(i)
		switch {
		case !isText(p):
			found = append(found, attachment(path, p))
		case p.ContentType == "text/plain" && bytes.Contains(p.Raw, []byte("begin ")): // in base64 nobody wrote a file so
			text, _ := p.Text()
			for n, u := range uuencoded(text) {
				found = append(found, attachment(path+"."+strconv.Itoa(n+1), u.Part))
			}
		}
	}
	return found
}

// Open returns one attachment of a message, and the part that decodes to its bytes. ok is false if path, an [Attachment].Part, names none.
func Open(msg *message.Message, path string) (a Attachment, p message.Part, ok bool) {
	rest := path
	for depth := 0; depth <= maxDepth; depth++ {
		first, more, deeper := strings.Cut(rest, ".")
		p, ok := leaf(msg, first)
		switch {
		case !ok:
			return a, p, false
		case deeper && p.IsMessage():
			msg, rest = message.Parse(p.Decode()), more
			continue
		case deeper && isText(p) && p.ContentType == "text/plain":
			text, _ := p.Text()
			files := uuencoded(text)
			n, err := strconv.Atoi(more)
			if ok = err == nil && n >= 1 && n <= len(files); ok {
				p = files[n-1].Part
			}
		default:
			ok = !deeper && !isText(p)
		}
		return attachment(path, p), p, ok
	}
	return a, p, false
}

// leaf returns a leaf of the MIME tree by its place.
func leaf(msg *message.Message, place string) (message.Part, bool) {
	n, err := strconv.Atoi(place)
	if err != nil {
		return message.Part{}, false
	}
	for i, p := range leaves(msg) {
		if i == n {
			return p, true
		}
	}
	return message.Part{}, false
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
