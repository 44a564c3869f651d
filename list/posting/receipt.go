package posting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/queue"
	"kairan/storage"
)

const (
	receiptAfter    = time.Hour // from a post's last recipient in the queue to what its author is told of the copies
	receiptNames    = 20        // providers named in a receipt; the others are counted together
	receiptsAtATime = 20
)

// receiptDue says when the author of a post is to be told what became of its copies.
type receiptDue struct {
	At         time.Time `json:"at"`
	Recipients int       `json:"recipients"`
}

var receiptsDue = storage.NewTable[list.PostID, receiptDue]("receipts_due", storage.Strings[list.PostID]())

// acknowledge tells an author who wants it that the post went out, and notes whether a receipt is to follow.
func (p *Path) acknowledge(tx *storage.Tx, w *work, recipients int, now time.Time) error {
	m, err := list.PersonOf(tx, w.post.Author).Member(tx, w.list.ID, w.post.Author)
	if errors.Is(err, list.ErrNotMember) {
		return nil
	}
	if err != nil {
		return err
	}
	if m.DeliveryReceipt {
		if err := receiptsDue.Put(tx, w.post.ID, receiptDue{At: now.Add(receiptAfter), Recipients: recipients}); err != nil {
			return err
		}
	}
	if !m.AcknowledgePosts || w.post.Foretold {
		return nil
	}
	return p.tellAuthor(tx, w.list, w.post, m, "posted", map[string]string{"recipients": strconv.Itoa(recipients)})
}

// tellAuthor mails a member about a post of its own.
func (p *Path) tellAuthor(tx *storage.Tx, l *list.List, post *list.Post, m *list.Member, mail string, args map[string]string) error {
	lang := l.LanguageOf(m)
	maps.Copy(args, map[string]string{
		"list": l.Title(), "subject": cmp.Or(post.Subject, p.Templates.T(lang, "message.no-subject")), "number": strconv.FormatUint(post.Number, 10),
		"url": p.Site.MessageURL(l, post.MessageID), "request": l.Suffixed("request").String(),
	})
	subject, body, err := list.Write(tx, p.Templates, l, mail, lang, args)
	if err != nil {
		return err
	}
	return p.Queue(tx, Notice{List: l, To: m.Address, Subject: subject, Body: body, InReplyTo: post.MessageID})
}

// sendReceipts tells the authors whose receipts are due what became of the copies of their posts.
func (p *Path) sendReceipts(ctx context.Context, now time.Time) error {
	due := map[list.PostID]receiptDue{}
	err := p.DB.View(ctx, func(tx *storage.Tx) error {
		clear(due)
		for id, r := range receiptsDue.Scan(tx, storage.Range[list.PostID]{}) {
			if len(due) == receiptsAtATime {
				p.Wake() // for the rest
				break
			}
			if !now.Before(r.At) {
				due[id] = r
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	for id, r := range due {
		var providers map[string]Fates
		err := p.DB.View(ctx, func(tx *storage.Tx) error {
			providers = p.byProvider(byDomain(tx, id))
			return nil
		})
		if err == nil {
			err = p.DB.Update(ctx, func(tx *storage.Tx) error { return p.sendReceipt(tx, id, r, providers) })
		}
		if err != nil {
			return fmt.Errorf("receipt of %s: %w", id, err)
		}
	}
	return nil
}

// sendReceipt mails one receipt. An author who has left meanwhile gets none.
func (p *Path) sendReceipt(tx *storage.Tx, id list.PostID, r receiptDue, providers map[string]Fates) error {
	post, err := list.GetPost(tx, id)
	if err != nil {
		return err
	}
	l, err := list.Get(tx, post.List)
	if err != nil {
		return err
	}
	if err := receiptsDue.Delete(tx, id); err != nil {
		return err
	}
	m, err := list.PersonOf(tx, post.Author).Member(tx, l.ID, post.Author)
	if errors.Is(err, list.ErrNotMember) || err == nil && !m.DeliveryReceipt {
		return nil
	}
	if err != nil {
		return err
	}
	lang := l.LanguageOf(m)
	return p.tellAuthor(tx, l, post, m, "receipt", map[string]string{"counts": p.counts(lang, r.Recipients, providers)})
}

// Fates counts copies by what has become of them so far.
type Fates struct{ Accepted, Deferred, Refused int }

// All is how many copies something is known of.
func (f Fates) All() int { return f.Accepted + f.Deferred + f.Refused }

func (f Fates) plus(o Fates) Fates {
	return Fates{f.Accepted + o.Accepted, f.Deferred + o.Deferred, f.Refused + o.Refused}
}

// FatesOf counts the copies of a post, as far as it is still known what became of each.
func FatesOf(tx *storage.Tx, id list.PostID) (all Fates) {
	for _, f := range byDomain(tx, id) {
		all = all.plus(f)
	}
	return all
}

// byDomain counts the copies of a post by the domain of the receiver; the last attempt of each counts.
func byDomain(tx *storage.Tx, id list.PostID) map[string]Fates {
	last := map[string]string{}
	for d := range list.Deliveries(tx, id) {
		for _, to := range d.To {
			last[to] = d.Status
		}
	}
	domains := map[string]Fates{}
	for to, status := range last {
		domain := to[strings.LastIndexByte(to, '@')+1:]
		f := domains[domain]
		switch queue.Status(status) {
		case queue.Delivered:
			f.Accepted++
		case queue.Deferred:
			f.Deferred++
		case queue.Failed:
			f.Refused++
		default:
			continue // skipped: the receiver has left, or wants no mail
		}
		domains[domain] = f
	}
	return domains
}

// byProvider adds up the domains whose mail one provider takes that is known, under its name (which has no dot).
func (p *Path) byProvider(domains map[string]Fates) map[string]Fates {
	providers := map[string]Fates{}
	for domain, f := range domains {
		name := domain
		if known, ok := queue.ProviderOf(cmp.Or(p.Outbox.GroupOf(domain), domain)); ok {
			name = known.Name
		}
		providers[name] = providers[name].plus(f)
	}
	return providers
}

// counts writes the table of a receipt: all copies first, then the providers with most of them.
func (p *Path) counts(lang string, recipients int, providers map[string]Fates) string {
	var total, others Fates
	names := slices.SortedFunc(maps.Keys(providers), func(a, b string) int {
		return cmp.Or(cmp.Compare(providers[b].All(), providers[a].All()), strings.Compare(a, b))
	})
	var rows strings.Builder
	for i, name := range names {
		total = total.plus(providers[name])
		if i >= receiptNames {
			others = others.plus(providers[name])
			continue
		}
		title := name
		if !strings.Contains(name, ".") {
			title = p.Templates.T(lang, "provider."+name)
		}
		rows.WriteString(p.row(lang, title, providers[name]))
	}
	if others.All() > 0 {
		rows.WriteString(p.row(lang, p.Templates.T(lang, "receipt.others"), others))
	}
	head := p.row(lang, p.Templates.T(lang, "receipt.all"), total)
	if waiting := recipients - total.All(); waiting > 0 {
		head += "  " + p.Templates.T(lang, "receipt.waiting", "n", waiting) + "\n"
	}
	return head + "\n" + rows.String()
}

func (p *Path) row(lang, name string, f Fates) string {
	return "  " + p.Templates.T(lang, "receipt.row", "name", name, "accepted", f.Accepted, "deferred", f.Deferred, "refused", f.Refused) + "\n"
}
