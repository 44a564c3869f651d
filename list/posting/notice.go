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
		m := letter{id: noticePrefix + id, message: ready[id].Message, to: []queue.Recipient{{Ref: ready[id].Domain, To: ready[id].To}}}
		if err := p.sendLetter(ctx, m, func(tx *storage.Tx) error { return notices.Delete(tx, id) }); err != nil {
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
	parts := [][]byte{message.Join(text, body)}
	for _, a := range n.Attached {
		parts = append(parts, message.Join(message.Header{message.NewField("Content-Type", "message/rfc822"), message.NewField("Content-Disposition", "inline")}, a))
	}
	return mixed(h, parts)
}

// mixed returns a message of some parts, each with a header of its own.
func mixed(h message.Header, parts [][]byte) []byte {
	boundary := rand.Text()
	var body bytes.Buffer
	for _, p := range parts {
		body.WriteString("--" + boundary + "\r\n")
		body.Write(p)
		body.WriteString("\r\n")
	}
	body.WriteString("--" + boundary + "--\r\n")
	return message.Join(append(h, message.NewField("Content-Type", `multipart/mixed; boundary="`+boundary+`"`)), body.Bytes())
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
	m := letter{id: noticePrefix + storage.NewID(time.Now()), message: msg, to: []queue.Recipient{{Ref: domain, To: to}}}
	return p.sendLetter(ctx, m, func(*storage.Tx) error { return nil })
}

// SendReport queues a report about TLS, signed by the domain it comes from, with something to do in the same transaction.
func (p *Path) SendReport(ctx context.Context, r tlsreport.Mail, with func(*storage.Tx) error) error {
	m := letter{id: reportPrefix + storage.NewID(time.Now()), message: r.Message}
	for _, a := range r.To {
		m.to = append(m.to, queue.Recipient{Ref: r.Domain, To: a})
	}
	return p.sendLetter(ctx, m, with)
}

// letter is a complete message that is no post.
type letter struct {
	id      string // of the rendition
	message []byte
	to      []queue.Recipient // Ref as noticeRef writes it
}

// sendLetter queues a letter, with something to do in the same transaction. It may be repeated.
func (p *Path) sendLetter(ctx context.Context, m letter, with func(*storage.Tx) error) error {
	add, err := p.Outbox.Rendition(ctx, m.id, m.message)
	if err == nil {
		err = p.DB.Update(ctx, func(tx *storage.Tx) error {
			return errors.Join(add(tx), p.Outbox.Enqueue(tx, m.id, m.to), p.Outbox.Seal(tx, m.id), with(tx))
		})
	}
	if err != nil {
		return fmt.Errorf("queue %s: %w", m.id, err)
	}
	p.Outbox.Wake()
	return nil
}
