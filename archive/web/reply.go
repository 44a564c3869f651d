package web

import (
	"net/url"
	"strings"

	"kairan/archive"
	"kairan/smtpd/message"
)

// reply returns a link that opens an answer in the reader's mail program (RFC 6068): to the list, in the thread by
// In-Reply-To, and for members with the author in Cc. A closed list takes none.
func (q *request) reply(m *archive.Message) string {
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
	return "mailto:" + mailtoValue(q.list.Address) + "?" + strings.Join(params, "&")
}

// mailtoValue escapes a value for a mailto link; unlike in a form, "+" is no space there.
func mailtoValue(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%40", "@")
}
