package archive

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"kairan/smtpd/message"
)

// What strangers see of addresses is decided here: pages, feeds and JSON pass MaskText, sources and mboxes MaskSource, attachments MaskPart.

// maskAddress shortens an address so that people who know it recognise it and nobody can write to it: "an…@example.jp".
func maskAddress(a string) string {
	local, domain, ok := strings.Cut(a, "@")
	if !ok {
		return a
	}
	return local[:SeenOf(local)] + "…@" + domain
}

// MaskText shortens every address in a text for strangers, "an…@example.jp", but for keep: the list's own, which is for everybody.
func MaskText(s, keep string) string {
	start, end, ok := NextAddress(s, 0)
	if !ok {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16) // most are longer than what is shown of them
	done := 0
	for ; ok; start, end, ok = NextAddress(s, end) {
		b.WriteString(s[done:start])
		if done = end; strings.EqualFold(s[start:end], keep) {
			b.WriteString(s[start:end])
			continue
		}
		b.WriteString(maskAddress(s[start:end]))
	}
	b.WriteString(s[done:])
	return b.String()
}

// identifying are the fields whose "@" does not make an address of a person.
var identifying = map[string]bool{
	"message-id": true, "references": true, "in-reply-to": true, "content-id": true,
	"dkim-signature": true, "archived-at": true, "x-kairan-id": true,
}

// MaskSource is MaskText for a message as strangers get its source, so that a source does not give away what the page hides: in
// its header, where encoded words are looked into, and in each part that people can read, whatever its charset and encoding. Identifiers stay.
func MaskSource(raw []byte, keep string) []byte { return maskSource(raw, keep, 0) }

func maskSource(raw []byte, keep string, depth int) []byte {
	msg := message.Parse(raw)
	h := slices.Clone(msg.Header())
	for i, f := range h {
		h[i] = maskField(f, keep)
	}
	body := rewriteBody(msg, func(p message.Part) ([]byte, bool) {
		if p.IsMessage() && depth < maxWithin {
			edited, ok := rewriteWithin(p, func(raw []byte) []byte { return maskSource(raw, keep, depth+1) })
			if !ok {
				edited = p.Raw
			}
			return edited, true
		}
		if edited, ok := maskPart(p, keep); ok {
			return p.Encode(edited), true
		}
		return p.Raw, true
	}, func(b []byte) []byte { return maskLines(b, keep) })
	return message.Join(h, body)
}

// maskField masks what a field says, also where encoded words hide it.
func maskField(f message.Field, keep string) message.Field {
	if identifying[strings.ToLower(f.Name)] {
		return f
	}
	if bytes.IndexByte(f.Raw, '@') >= 0 {
		f.Raw = []byte(MaskText(string(f.Raw), keep))
	}
	if !bytes.Contains(f.Raw, []byte("=?")) {
		return f
	}
	text := message.DecodeHeader(f.Value())
	if masked := MaskText(text, keep); masked != text {
		return message.TextField(f.Name, masked, "UTF-8")
	}
	return f
}

// maskLines masks what stands between the parts of a message: their headers.
func maskLines(b []byte, keep string) []byte {
	if bytes.IndexByte(b, '@') < 0 {
		return b
	}
	var out []byte
	stays := false
	for line := range bytes.Lines(b) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			stays = identifying[strings.ToLower(string(name))]
		}
		if stays {
			out = append(out, line...)
		} else {
			out = append(out, MaskText(string(line), keep)...)
		}
	}
	return out
}

// MaskPart returns what a part of a message decodes to, masked as in [MaskSource] if people can read it. Other files, such as pictures, are as they came.
func MaskPart(p message.Part, keep string) []byte {
	if p.IsMessage() {
		return MaskSource(p.Decode(), keep)
	}
	if masked, ok := maskPart(p, keep); ok {
		return masked
	}
	return p.Decode()
}

func maskPart(p message.Part, keep string) (data []byte, ok bool) {
	if !isReadable(p) {
		return nil, false
	}
	return rewriteText(p, func(text string) string { return maskUuencoded(text, keep) })
}

// maskUuencoded is MaskText for a text that may have uuencoded files in it, in which an "@" is a digit.
func maskUuencoded(text, keep string) string {
	var b strings.Builder
	at := 0
	for _, f := range message.FindUuencoded(text) {
		b.WriteString(MaskText(text[at:f.From], keep))
		at = f.To
		file := message.Part{ContentType: "application/octet-stream", Filename: f.Name, Raw: f.Data}
		if masked, ok := maskPart(file, keep); ok {
			b.WriteString(message.Uuencode(f.Name, masked))
		} else {
			b.WriteString(text[f.From:f.To])
		}
	}
	b.WriteString(MaskText(text[at:], keep))
	return b.String()
}

// textNames are endings of the names of files of text, which come under all sorts of types.
var textNames = []string{".patch", ".diff", ".txt", ".log", ".conf", ".cfg", ".md", ".csv", ".vcf", ".ics", ".eml", ".mbox", ".html", ".json", ".xml"}

// isReadable reports whether people can read addresses in a part: it is text by its type or name, or by what it says.
func isReadable(p message.Part) bool {
	kind, _, _ := strings.Cut(p.ContentType, "/")
	switch kind {
	case "image", "audio", "video", "font":
		return false
	}
	data := p.Decode()
	if bytes.IndexByte(data, '@') < 0 && kind != "text" { // in no charset that such a file would have is there an address
		return false
	}
	if kind == "text" || kind == "message" || slices.Contains(textNames, strings.ToLower(path.Ext(p.Filename))) {
		return kind == "text" || bytes.IndexByte(data, 0) < 0
	}
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' })
}
