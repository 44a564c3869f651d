package posting

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// noticePrefix marks the renditions that are no post but a notice of ours; a recipient's Ref is then the domain that signs.
const noticePrefix = "notice-"

// Notice is a mail of ours to one person, about a list.
type Notice struct {
	List    *list.List
	To      address.Address
	Subject string
	Body    string // UTF-8, lines ended by LF
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

// compose writes the message: UTF-8 in base64, which passes everywhere.
func (n Notice) compose(now time.Time) []byte {
	domain := n.List.Address.ASCIIDomain()
	from := address.Mailbox{Name: n.List.Title(), Address: n.List.Suffixed("owner")}
	h := message.Header{
		message.NewField("From", from.String()),
		message.NewField("To", address.Mailbox{Address: n.To}.String()),
		message.TextField("Subject", n.Subject, "UTF-8"),
		message.NewField("Date", now.Format(time.RFC1123Z)),
		message.NewField("Message-ID", "<"+message.NewID(domain, now)+">"),
		message.NewField("List-Id", "<"+n.List.ListID()+">"),
		message.NewField("Auto-Submitted", "auto-replied"),
		message.NewField("X-Auto-Response-Suppress", "All"),
		message.NewField("MIME-Version", "1.0"),
		message.NewField("Content-Type", "text/plain; charset=utf-8"),
		message.NewField("Content-Transfer-Encoding", "base64"),
	}
	text := base64.StdEncoding.EncodeToString(bytes.ReplaceAll([]byte(n.Body), []byte("\n"), []byte("\r\n")))
	var body bytes.Buffer
	for len(text) > 0 {
		line := text[:min(76, len(text))]
		text = text[len(line):]
		body.WriteString(line + "\r\n")
	}
	return message.Join(h, body.Bytes())
}

// send queues a complete message to one address, signed for domain ("" for not at all).
func (p *Path) send(ctx context.Context, domain string, to address.Address, msg []byte) error {
	id := noticePrefix + storage.NewID(time.Now())
	if err := p.Outbox.AddRendition(ctx, id, msg); err != nil {
		return fmt.Errorf("mail to %s: %w", to, err)
	}
	err := p.DB.Update(ctx, func(tx *storage.Tx) error {
		return errors.Join(
			p.Outbox.Enqueue(tx, id, []queue.Recipient{{Ref: domain, To: to}}),
			p.Outbox.Seal(tx, id),
		)
	})
	if err != nil {
		return fmt.Errorf("mail to %s: %w", to, err)
	}
	p.Outbox.Wake()
	return nil
}
