package posting

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/smtpd/tlsreport"
	"kairan/storage"
)

// noticePrefix marks the renditions that are no post but a notice of ours; a recipient's Ref is then the domain that signs.
const noticePrefix = "notice-"

// reportPrefix marks those that are reports about TLS.
const reportPrefix = noticePrefix + "tls-"

// Notice is a mail of ours to one person, about a list.
type Notice struct {
	List    *list.List
	To      address.Address
	Subject string
	Body    string // UTF-8, lines ended by LF
	// InReplyTo is the Message-ID of the mail that this one answers, without "<>", or "".
	InReplyTo string
	// From is who writes; the zero Mailbox for the list's owners. A mail from another is the site's, and names the list nowhere;
	// it has to be of the list's domain, which signs it.
	From address.Mailbox
	// ReplyTo is where an answer goes; null for the owners.
	ReplyTo address.Address
	// Unasked says that no mail of the receiver's caused it: a report to the owners, an invitation.
	Unasked bool
	// Probe says whose mailbox the mail tries. Nil for every other mail.
	Probe *Probe
	// Attached are whole messages, lines ended by CRLF, that come along.
	Attached [][]byte
}

// Probe is a mail that tries a member's mailbox: if it comes back, that says so.
type Probe struct {
	Member *list.Member
	Number uint64 // list.Bounces.ProbeNumber
}

// waiting is a notice on its way from the transaction that caused it to the queue.
type waiting struct {
	Domain  string          `json:"domain"` // signs; as noticeRef writes it
	To      address.Address `json:"to"`
	Message []byte          `json:"message"`
}

var notices = storage.NewTable[string, waiting]("notices", storage.Strings[string]())

// Queue adds a notice to what happened in a transaction: it is sent if the transaction is committed, however soon we crash after it.
// Call Wake after the commit. A notice with what is Attached may be too large for it; see Notify.
func (p *Path) Queue(tx *storage.Tx, n Notice) error {
	now := time.Now()
	return notices.Put(tx, storage.NewID(now), waiting{Domain: noticeRef(n.List.Address.ASCIIDomain(), n.Probe), To: n.To, Message: n.compose(now)})
}

// sendNotices gives the queue what Queue has collected. Only Run calls it, so no two do it at once.
func (p *Path) sendNotices(ctx context.Context) error {
	ready := map[string]waiting{}
	err := p.DB.View(ctx, func(tx *storage.Tx) error {
		for id, n := range notices.Scan(tx, storage.Range[string]{}) {
			if ready[id] = n; len(ready) == 100 {
				p.Wake() // for the rest
				break
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("notices: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(ready)) {
		n := ready[id]
		if err := p.sendAs(ctx, noticePrefix+id, n, func(tx *storage.Tx) error { return notices.Delete(tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// Notify queues a notice. It answers what somebody did, so it says Auto-Submitted: auto-replied and has
// the null sender (RFC 3834, sections 3.1 and 5).
func (p *Path) Notify(ctx context.Context, n Notice) error {
	return p.send(ctx, n.List.Address.ASCIIDomain(), n.To, n.compose(time.Now()))
}

// Forward queues somebody's message to one of our people, unchanged, so that its signatures live.
func (p *Path) Forward(ctx context.Context, to address.Address, raw []byte) error {
	return p.send(ctx, "", to, raw)
}

// compose writes the message: UTF-8 in base64, which passes everywhere, or as the list wishes in ISO-2022-JP.
func (n Notice) compose(now time.Time) []byte {
	charset := "UTF-8"
	text, body := message.Header{
		message.NewField("Content-Type", "text/plain; charset=utf-8"),
		message.NewField("Content-Transfer-Encoding", "base64"),
	}, wrapped(n.Body)
	if n.List.Settings.NoticeCharset == list.ISO2022JP {
		if old, ok := traditional(n.Subject, n.Body); ok {
			charset, body = list.ISO2022JP, old
			text = message.Header{
				message.NewField("Content-Type", "text/plain; charset=iso-2022-jp"),
				message.NewField("Content-Transfer-Encoding", "7bit"),
			}
		}
	}
	domain := n.List.Address.ASCIIDomain()
	from := n.From
	if from.Address.IsNull() {
		from = address.Mailbox{Name: n.List.Title(), Address: n.List.Suffixed("owner")}
	}
	h := message.Header{
		message.NewField("From", from.String()),
		message.NewField("To", address.Mailbox{Address: n.To}.String()),
		message.TextField("Subject", n.Subject, charset),
		message.NewField("Date", now.Format(time.RFC1123Z)),
		message.NewField("Message-ID", "<"+message.NewID(domain, now)+">"),
		message.NewField("X-Auto-Response-Suppress", "All"),
		message.NewField("MIME-Version", "1.0"),
	}
	if n.From.Address.IsNull() {
		h = append(h, message.NewField("List-Id", "<"+n.List.ListID()+">"))
	}
	if !n.ReplyTo.IsNull() {
		h = append(h, message.NewField("Reply-To", address.Mailbox{Address: n.ReplyTo}.String()))
	}
	if n.InReplyTo != "" {
		h = append(h, message.NewField("In-Reply-To", "<"+n.InReplyTo+">"), message.NewField("References", "<"+n.InReplyTo+">"))
	}
	if n.Unasked {
		h = append(h, message.NewField("Auto-Submitted", "auto-generated"))
	} else {
		h = append(h, message.NewField("Auto-Submitted", "auto-replied"))
	}
	if len(n.Attached) == 0 {
		return message.Join(append(h, text...), body)
	}
	boundary := rand.Text()
	h = append(h, message.NewField("Content-Type", `multipart/mixed; boundary="`+boundary+`"`))
	var parts bytes.Buffer
	part := func(msg []byte) {
		parts.WriteString("--" + boundary + "\r\n")
		parts.Write(msg)
		parts.WriteString("\r\n")
	}
	part(message.Join(text, body))
	for _, a := range n.Attached {
		part(message.Join(message.Header{message.NewField("Content-Type", "message/rfc822"), message.NewField("Content-Disposition", "inline")}, a))
	}
	parts.WriteString("--" + boundary + "--\r\n")
	return message.Join(h, parts.Bytes())
}

// maxLine is the longest line of a mail in bytes (RFC 5322, section 2.1.1).
const maxLine = 998

// traditional returns a text in ISO-2022-JP (RFC 1468), in lines ended by CRLF. ok is false where subject or text has a
// character that this charset does not know, or a line that is too long for a mail.
func traditional(subject, body string) (text []byte, ok bool) {
	if _, ok := message.EncodeCharset(list.ISO2022JP, subject); !ok {
		return nil, false
	}
	for line := range strings.Lines(body) {
		b, ok := message.EncodeCharset(list.ISO2022JP, strings.TrimRight(line, "\n"))
		if !ok || len(b) > maxLine {
			return nil, false
		}
		text = append(append(text, b...), "\r\n"...)
	}
	return text, true
}

// wrapped is a text in lines of base64.
func wrapped(s string) []byte {
	text := base64.StdEncoding.EncodeToString(bytes.ReplaceAll([]byte(s), []byte("\n"), []byte("\r\n")))
	var body bytes.Buffer
	for len(text) > 0 {
		line := text[:min(76, len(text))]
		text = text[len(line):]
		body.WriteString(line + "\r\n")
	}
	return body.Bytes()
}

// send queues a complete message to one address, signed for domain ("" for not at all).
func (p *Path) send(ctx context.Context, domain string, to address.Address, msg []byte) error {
	n := waiting{Domain: domain, To: to, Message: msg}
	return p.sendAs(ctx, noticePrefix+storage.NewID(time.Now()), n, func(*storage.Tx) error { return nil })
}

// sendAs is send under a given rendition, with something to do in the same transaction. It may be repeated.
func (p *Path) sendAs(ctx context.Context, id string, n waiting, with func(*storage.Tx) error) error {
	if err := p.Outbox.AddRendition(ctx, id, n.Message); err != nil {
		return fmt.Errorf("mail to %s: %w", n.To, err)
	}
	err := p.DB.Update(ctx, func(tx *storage.Tx) error {
		return errors.Join(
			p.Outbox.Enqueue(tx, id, []queue.Recipient{{Ref: n.Domain, To: n.To}}),
			p.Outbox.Seal(tx, id),
			with(tx),
		)
	})
	if err != nil {
		return fmt.Errorf("mail to %s: %w", n.To, err)
	}
	p.Outbox.Wake()
	return nil
}

// SendReport queues a report about TLS, signed by the domain it comes from, with something to do in the same transaction.
func (p *Path) SendReport(ctx context.Context, m tlsreport.Mail, with func(*storage.Tx) error) error {
	id := reportPrefix + storage.NewID(time.Now())
	if err := p.Outbox.AddRendition(ctx, id, m.Message); err != nil {
		return fmt.Errorf("a report: %w", err)
	}
	var to []queue.Recipient
	for _, a := range m.To {
		to = append(to, queue.Recipient{Ref: m.Domain, To: a})
	}
	err := p.DB.Update(ctx, func(tx *storage.Tx) error {
		return errors.Join(p.Outbox.Enqueue(tx, id, to), p.Outbox.Seal(tx, id), with(tx))
	})
	if err != nil {
		return fmt.Errorf("a report: %w", err)
	}
	p.Outbox.Wake()
	return nil
}
