package web

import (
	"strings"

	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
)

const (
	maxReply  = 2000   // bytes of a reply link; some systems hand no longer address to a mail program
	maxQuotes = 10_000 // bytes that the quotes in the reply links of one page have together
	ellipsis  = "> […]"
)

// reply returns a link that opens an answer in the reader's mail program (RFC 6068): to the list, in the thread by
// In-Reply-To, for members with the author in Cc, and with as many of the quoted lines as fit into limit bytes. A closed list takes none.
func (q *request) reply(m *archive.Message, quoted []string, limit int) string {
	if q.list.Closed {
		return ""
	}
	base, _ := message.BaseSubject(m.Subject)
	params := []string{
		"In-Reply-To=" + mailtoValue("<"+m.ID+">"),
		"Subject=" + mailtoValue("Re: "+base),
	}
	if !q.stranger() && m.FromAddr != "" && !strings.EqualFold(m.FromAddr, q.list.Address) {
		params = append([]string{"Cc=" + mailtoValue(m.FromAddr)}, params...)
	}
	link := "mailto:" + mailtoValue(q.list.Address) + "?" + strings.Join(params, "&")
	return link + replyBody(quoted, min(limit, maxReply)-len(link))
}

// replyBody returns the parameter with the quoted lines, as many as fit into that many bytes; "" if not even two do.
func replyBody(lines []string, limit int) string {
	const lineEnd = "%0D%0A"
	body := append(make([]byte, 0, max(0, limit)), "&Body="...)
	limit -= len(appendMailto(nil, ellipsis)) + len(lineEnd)
	for i, line := range lines {
		before := len(body)
		if body = append(appendMailto(body, line), lineEnd...); len(body) <= limit {
			continue
		}
		if i < 2 {
			return ""
		}
		return string(appendMailto(body[:before], ellipsis)) + lineEnd
	}
	if len(lines) == 0 {
		return ""
	}
	return string(body)
}

// quote returns what the author wrote, of up to limit bytes, as an answer quotes it, after a line that says who wrote it and when.
func (h *handler) quote(q *request, m *archive.Message, b render.Body, limit int) []string {
	own := b.Own(min(limit, maxReply))
	if len(own) == 0 {
		return nil
	}
	lines := []string{h.set.T(q.lang(), "reply.wrote", "time", h.time(q, m.Date).Human, "name", h.name(q, m))}
	for _, line := range own {
		lines = append(lines, strings.TrimRight("> "+line, " "))
	}
	return lines
}

// mailtoValue escapes a value for a mailto link; unlike in a form, "+" is no space there.
func mailtoValue(s string) string { return string(appendMailto(make([]byte, 0, 2*len(s)), s)) }

func appendMailto(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '@':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
