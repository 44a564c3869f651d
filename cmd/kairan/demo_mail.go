package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"mime"
	"mime/quotedprintable"
	"net/url"
	"strings"

	"kairan/smtpd/message"
)

// entity is a MIME entity (RFC 2045): the fields about its content, and the content.
type entity struct {
	header message.Header
	body   []byte
}

func newEntity(contentType, encoding string, body []byte) entity {
	return entity{
		header: message.Header{message.NewField("Content-Type", contentType), message.NewField("Content-Transfer-Encoding", encoding)},
		body:   body,
	}
}

// mail writes a post of the seed the way its author's mail program would. to is the list; numbered says what the list's
// members see in front of a Subject.
func (s *story) mail(to string, numbered func(n uint64) string) []byte {
	charset := "UTF-8"
	if s.way == "jis" {
		charset = "ISO-2022-JP"
	}
	name := message.TextField("From", s.author.name, charset).Value()
	h := message.Header{
		message.NewField("From", name+" <"+s.author.address.String()+">"),
		message.NewField("To", to),
		message.TextField("Subject", s.fullSubject(numbered), charset),
		message.NewField("Date", s.at.Format("Mon, 2 Jan 2006 15:04:05 -0700")),
		message.NewField("Message-ID", "<"+s.id+">"),
	}
	if ids := s.chain(); len(ids) > 0 && !s.orphan {
		h = append(h,
			message.NewField("In-Reply-To", "<"+s.parent.id+">"),
			message.NewField("References", "<"+strings.Join(ids, ">\r\n <")+">"))
	}
	h = append(h, message.NewField("MIME-Version", "1.0"))
	e := s.written(s.way)
	if s.file != "" {
		e = multipart("mixed", "="+s.id[:14]+"=mixed", e, s.attachment())
	}
	return message.Join(append(h, e.header...), e.body)
}

// fullSubject is the Subject as it is sent: a mail program puts "Re:" before what the list has made of it.
func (s *story) fullSubject(numbered func(n uint64) string) string {
	if s.parent == nil || s.subject != "" {
		return s.subject
	}
	root := s.parent
	for root.subject == "" {
		root = root.parent
	}
	return "Re: " + numbered(s.parent.number) + root.subject
}

// written writes the text of a post in one of the ways of mail programs.
func (s *story) written(way string) entity {
	switch way {
	case "jis", "sjis":
		charset, encoding := "ISO-2022-JP", "7bit"
		if way == "sjis" {
			charset, encoding = "Shift_JIS", "8bit"
		}
		if b, ok := message.EncodeCharset(charset, crlf(s.text)); ok {
			return newEntity("text/plain; charset="+charset, encoding, b)
		}
		return s.written("utf8") // as mail programs do with what the charset cannot say
	case "qp":
		return newEntity("text/plain; charset=utf-8", "quoted-printable", quotedPrintable(s.text))
	case "flowed":
		return newEntity("text/plain; charset=utf-8; format=flowed", "8bit", []byte(crlf(flow(s.text))))
	case "html":
		return newEntity("text/html; charset=utf-8", "quoted-printable", quotedPrintable(s.html()))
	case "alt":
		return multipart("alternative", "="+s.id[:14]+"=alt",
			newEntity("text/plain; charset=utf-8", "quoted-printable", quotedPrintable(s.text)),
			newEntity("text/html; charset=utf-8", "base64", base64Lines([]byte(s.html()))))
	default:
		return newEntity("text/plain; charset=UTF-8", "base64", base64Lines([]byte(crlf(s.text))))
	}
}

// html is the text as programs write it that know only HTML.
func (s *story) html() string {
	var b strings.Builder
	b.WriteString("<html><head><meta charset=\"utf-8\"><style>p { font-family: sans-serif }</style></head><body>\n")
	for p := range strings.SplitSeq(strings.TrimSpace(s.text), "\n\n") {
		fmt.Fprintf(&b, "<p>%s</p>\n", strings.ReplaceAll(html.EscapeString(p), "\n", "<br>\n"))
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// attachment is the file of a post. Its name is written as RFC 2231 asks, and once more as old programs expect it.
func (s *story) attachment() entity {
	kind := "text/plain"
	if strings.HasSuffix(s.file, ".patch") {
		kind = "text/x-patch"
	}
	e := newEntity(fmt.Sprintf("%s; charset=utf-8;\r\n name=%q", kind, mime.BEncoding.Encode("UTF-8", s.file)), "base64",
		base64Lines([]byte(s.content)))
	e.header = append(e.header, message.NewField("Content-Disposition", "attachment;\r\n filename*=UTF-8''"+url.PathEscape(s.file)))
	return e
}

func multipart(kind, boundary string, parts ...entity) entity {
	var b bytes.Buffer
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, message.Join(p.header, p.body))
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return newEntity(fmt.Sprintf("multipart/%s; boundary=%q", kind, boundary), "8bit", b.Bytes())
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func quotedPrintable(text string) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(crlf(text))) // a buffer does not fail
	w.Close()
	return b.Bytes()
}

func base64Lines(b []byte) []byte {
	const width = 76 // RFC 2045, section 6.8
	var lines bytes.Buffer
	for text := base64.StdEncoding.EncodeToString(b); text != ""; text = text[min(width, len(text)):] {
		lines.WriteString(text[:min(width, len(text))] + "\r\n")
	}
	return lines.Bytes()
}

// flow marks the lines of paragraphs as flowed (RFC 3676): a space at the end of all but the last. Quotes, lists and the
// signature stay as they are.
func flow(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines[:len(lines)-1] {
		if line == "-- " {
			break
		}
		next := lines[i+1]
		if plain(line) && plain(next) {
			lines[i] += " "
		}
	}
	return strings.Join(lines, "\n")
}

// plain reports whether a line is a part of a paragraph that may be flowed.
func plain(line string) bool {
	return line != "" && line != "-- " && !strings.HasSuffix(line, ":") && !strings.ContainsAny(line[:1], "> 0123456789[")
}
