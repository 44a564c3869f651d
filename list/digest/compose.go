package digest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kairan/archive/render"
	"kairan/list"
	"kairan/list/cook"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// compose writes a form of the issue, all but the fields that are personal. The same issue in the same words gives the same bytes.
func (d *Digester) compose(tx *storage.Tx, w *work, v variant) ([]byte, error) {
	var messages []*enclosed
	for i, m := range w.messages {
		if m != nil && v.parts[i] == '1' {
			messages = append(messages, m)
		}
	}
	subject, head, err := d.head(tx, w, messages, v.lang)
	if err != nil {
		return nil, err
	}
	if w.issue.Subject == "" {
		w.issue.Subject = subject
	}
	for i := range w.issue.Digest.Renditions {
		if r := &w.issue.Digest.Renditions[i]; r.ID == w.rendition(v) {
			r.Subject = subject
		}
	}
	h := d.header(w, subject)
	for _, m := range messages {
		if m.quiet {
			h = append(h, message.NewField("X-No-Archive", "yes"))
			break
		}
	}
	end := d.Templates.T(v.lang, "digest.end", "digest", subject)
	if v.mode == list.DeliveryPlaintextDigests {
		text := message.Parse(cook.TextPart(d.plain(head, end, messages, v.lang), "utf-8"))
		return message.Join(append(h, text.Header()...), text.Body()), nil
	}
	boundary := boundary(w.issue.ID, messages)
	h = append(h, message.NewField("Content-Type", `multipart/mixed; boundary="`+boundary+`"`))
	h = append(h, transfer(messages)...)
	return message.Join(h, mixed(boundary, head, end, messages)), nil
}

// head writes what stands above the messages: how to write, to change and to leave, and the table of contents.
func (d *Digester) head(tx *storage.Tx, w *work, messages []*enclosed, lang string) (subject, text string, err error) {
	l, issue := w.list, w.issue.Digest
	var topics strings.Builder
	for i, m := range messages {
		fmt.Fprintf(&topics, "%4d. %s (%s)\n", i+1, cmp.Or(m.msg.Header().Text("Subject"), d.Templates.T(lang, "message.no-subject")), author(m.msg))
	}
	return list.Write(tx, d.Templates, l, "digest", lang, map[string]string{
		"list": l.Title(), "address": l.Address.String(), "url": d.Site.ListURL(l),
		"request": l.Suffixed("request").String(), "leave": l.Suffixed("leave").String(),
		"volume": strconv.Itoa(issue.Volume), "issue": strconv.Itoa(issue.Issue), "topics": topics.String(),
	})
}

// author is who wrote a message: the name, else the address.
func author(msg *message.Message) string {
	from := msg.Header().Get("From")
	boxes, _ := address.ParseList(from, message.DecodeHeader)
	if len(boxes) == 0 {
		return message.DecodeHeader(from)
	}
	return cmp.Or(boxes[0].Name, boxes[0].Address.String())
}

// header is what all forms of the issue share.
func (d *Digester) header(w *work, subject string) message.Header {
	l := w.list
	h := message.Header{
		message.NewField("From", address.Mailbox{Name: l.Title(), Address: l.Suffixed("request")}.String()),
		message.NewField("To", address.Mailbox{Name: l.Title(), Address: l.Address}.String()),
		message.TextField("Subject", subject, "UTF-8"),
		message.NewField("Date", w.issue.Decided.In(d.Site.Location).Format(time.RFC1123Z)),
		message.NewField("Message-ID", "<"+w.issue.MessageID+">"),
	}
	if l.Settings.AllowListPosts {
		h = append(h, message.NewField("Reply-To", address.Mailbox{Name: l.Title(), Address: l.Address}.String()))
	}
	h = append(h, cook.ListHeader(d.Site, l, "")...)
	return append(h, cook.FeedbackID(l, "digest"), message.NewField("Auto-Submitted", "auto-generated"), message.NewField("MIME-Version", "1.0"))
}

// mixed writes the MIME form: what stands above, the messages as they are, and the end.
func mixed(boundary, head, end string, messages []*enclosed) []byte {
	outer, inner := "--"+boundary, "--"+boundary+"_d"
	var b bytes.Buffer
	b.WriteString(outer + "\r\n")
	b.Write(cook.TextPart(head, "utf-8"))
	b.WriteString(outer + "\r\n")
	h := append(message.Header{message.NewField("Content-Type", `multipart/digest; boundary="`+boundary+`_d"`)}, transfer(messages)...)
	b.Write(message.Join(h, nil))
	for _, m := range messages {
		b.WriteString(inner + "\r\n")
		h := append(message.Header{message.NewField("Content-Type", "message/rfc822")}, transfer([]*enclosed{m})...)
		b.Write(message.Join(h, m.msg.Raw()))
		b.WriteString("\r\n")
	}
	b.WriteString(inner + "--\r\n" + outer + "\r\n")
	b.Write(cook.TextPart(end+"\n", "utf-8"))
	b.WriteString(outer + "--\r\n")
	return b.Bytes()
}

// transfer says of what holds messages that some of them have 8-bit text (RFC 2045, section 6.4).
func transfer(messages []*enclosed) message.Header {
	for _, m := range messages {
		if bytes.ContainsFunc(m.msg.Raw(), func(r rune) bool { return r >= 0x80 }) {
			return message.Header{message.NewField("Content-Transfer-Encoding", "8bit")}
		}
	}
	return nil
}

// boundary returns one that does not occur in the messages, the same for the same issue.
func boundary(id list.PostID, messages []*enclosed) string {
	sum := sha256.Sum256([]byte(id))
next:
	for {
		b := "=_kairan_" + hex.EncodeToString(sum[:12])
		sum = sha256.Sum256(sum[:])
		for _, m := range messages {
			if bytes.Contains(m.msg.Raw(), []byte(b)) {
				continue next
			}
		}
		return b
	}
}

// The lines of RFC 1153: below what stands above the messages, and after each of them.
var (
	longRule  = strings.Repeat("-", 70)
	shortRule = strings.Repeat("-", 30)
)

// plainFields are the fields of a message in the order of RFC 1153, section 4.
var plainFields = []string{"Date", "From", "To", "Cc", "Subject", "Message-ID", "Archived-At"}

// maxField is how much of a field the plain form shows, in characters.
const maxField = 1000

// plain writes the plain form (RFC 1153): the texts of the messages in UTF-8, and what is attached to them.
func (d *Digester) plain(head, end string, messages []*enclosed, lang string) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(head, "\n") + "\n\n" + longRule + "\n\n")
	for _, m := range messages {
		for _, name := range plainFields {
			if value := []rune(m.msg.Header().Text(name)); len(value) > maxField {
				b.WriteString(name + ": " + string(value[:maxField]) + "…\n")
			} else if len(value) > 0 {
				b.WriteString(name + ": " + string(value) + "\n")
			}
		}
		b.WriteString("\n")
		for line := range strings.Lines(strings.TrimRight(m.msg.Text(), "\n") + "\n") {
			if strings.HasPrefix(line, shortRule) {
				b.WriteByte(' ') // it would end the message
			}
			b.WriteString(line)
		}
		for i, a := range render.Show(m.msg, render.Options{}).Attachments {
			if i == 0 {
				b.WriteByte('\n')
			}
			b.WriteString(d.Templates.T(lang, "digest.attached", "name", cmp.Or(a.Name, "-"), "type", a.Type, "kb", (a.Size+1023)/1024) + "\n")
		}
		b.WriteString("\n" + shortRule + "\n\n")
	}
	b.WriteString(end + "\n" + strings.Repeat("*", 30) + "\n")
	return b.String()
}
