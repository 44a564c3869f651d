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
	"sync"
	"time"

	"kairan/list"
	"kairan/list/cook"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// Copies tells the queue what each copy of a post looks like, and notes what became of it: it is the queue's Personaliser.
type Copies struct {
	DB   *storage.DB
	Site *list.Site
	// Returned is told, in the transaction that gives up a copy, what the other side said, and that a probe was taken. Nil is told nothing.
	Returned func(tx *storage.Tx, r Return) error

	mu      sync.Mutex // protects signers and verp
	signers map[string]*mailauth.Signer
	verp    *list.VERP
}

// Return is a copy that was refused for good during delivery.
type Return struct {
	List    list.ID
	Post    *list.Post // nil for a probe
	Probe   uint64     // its number
	Member  string     // address key
	Outcome queue.Outcome
}

// Personalise implements [queue.Personaliser].
func (c *Copies) Personalise(ctx context.Context, rendition, group string, to []queue.Recipient) (copies []queue.Copy, err error) {
	err = c.DB.View(ctx, func(tx *storage.Tx) error {
		if strings.HasPrefix(rendition, noticePrefix) {
			copies, err = c.notices(tx, rendition, to)
		} else {
			copies, err = c.post(tx, list.RenditionPost(rendition), group, to)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("copies of %s: %w", rendition, err)
	}
	return copies, nil
}

// post asks for each recipient whether it is still a member that wants mail, and how its copy differs.
func (c *Copies) post(tx *storage.Tx, id list.PostID, group string, to []queue.Recipient) ([]queue.Copy, error) {
	p, err := list.GetPost(tx, id)
	if err != nil {
		return nil, err
	}
	l, err := list.Get(tx, p.List)
	if err != nil {
		return nil, err
	}
	signer, err := c.signer(tx, l.Address.ASCIIDomain())
	if err != nil {
		return nil, err
	}
	verp, err := c.bounces(tx)
	if err != nil {
		return nil, err
	}
	shared := personal(c.Site, l, "")
	copies := make([]queue.Copy, 0, len(to))
	for _, r := range to {
		m, err := list.MemberByKey(tx, l.ID, r.Ref)
		copy := queue.Copy{Recipient: r, Signer: signer}
		switch {
		case errors.Is(err, list.ErrNotMember):
			copy.Skip = "left the list"
		case err != nil:
			return nil, err
		case !m.Receives(time.Now()):
			copy.Skip = "delivery is off"
		default:
			copy.Sender = verp.Sender(l, p.EnvelopeNumber(), m.Token)
			if copy.Header = shared; l.Settings.PersonalUnsubscribe && !sharesCopies(l, cmp.Or(group, r.To.ASCIIDomain())) {
				copy.Header = cook.Personal(c.Site, l, m.Token)
			}
		}
		copies = append(copies, copy)
	}
	return copies, nil
}

// personal is the personal header as the list's settings want it.
func personal(site *list.Site, l *list.List, token string) []byte {
	if !l.Settings.PersonalUnsubscribe {
		token = ""
	}
	return cook.Personal(site, l, token)
}

// sharesCopies reports whether a list sends all recipients at a provider the same copy. Behind a smarthost their provider is told by their domain.
func sharesCopies(l *list.List, group string) bool {
	if len(l.Settings.SharedCopies) == 0 {
		return false
	}
	p, known := queue.ProviderOf(group)
	return known && slices.Contains(l.Settings.SharedCopies, p.Name)
}

// notices go out with the null sender (RFC 3834, section 3.3), signed by the domain they speak for.
func (c *Copies) notices(tx *storage.Tx, rendition string, to []queue.Recipient) ([]queue.Copy, error) {
	var copies []queue.Copy
	for _, r := range to {
		domain, probe := parseRef(r.Ref)
		signer, err := c.signer(tx, domain)
		if err != nil {
			return nil, err
		}
		copy := queue.Copy{Recipient: r, Signer: signer, Report: strings.HasPrefix(rendition, reportPrefix)}
		if probe.number != 0 {
			if copy.Sender, err = c.probeSender(tx, probe); errors.Is(err, list.ErrNotMember) {
				copy.Skip = "left the list"
			} else if err != nil {
				return nil, err
			}
		}
		copies = append(copies, copy)
	}
	return copies, nil
}

// noticeRef is the Ref of a notice's recipient: the domain that signs, and for a probe whom it is about and its number.
func noticeRef(domain string, probe *Probe) string {
	if probe == nil {
		return domain
	}
	return fmt.Sprintf("%s %d %s %s", domain, probe.Number, probe.Member.List, probe.Member.Address.Key())
}

// probeRef is what a Ref says of a probe; the zero probeRef is none.
type probeRef struct {
	number uint64
	list   list.ID
	member string // address key
}

// parseRef reads what noticeRef wrote.
func parseRef(ref string) (domain string, p probeRef) {
	parts := strings.SplitN(ref, " ", 4)
	if len(parts) < 4 {
		return parts[0], probeRef{}
	}
	n, _ := strconv.ParseUint(parts[1], 10, 64)
	return parts[0], probeRef{number: n, list: list.ID(parts[2]), member: parts[3]}
}

// probeSender is the envelope sender of a probe.
func (c *Copies) probeSender(tx *storage.Tx, p probeRef) (address.Address, error) {
	l, err := list.Get(tx, p.list)
	if err != nil {
		return address.Address{}, err
	}
	m, err := list.MemberByKey(tx, p.list, p.member)
	if err != nil {
		return address.Address{}, err
	}
	verp, err := c.bounces(tx)
	if err != nil {
		return address.Address{}, err
	}
	return verp.Sender(l, p.number, m.Token), nil
}

// signer returns the domain's signer, nil for a domain without a key.
func (c *Copies) signer(tx *storage.Tx, domain string) (*mailauth.Signer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.signers[domain]; s != nil {
		return s, nil
	}
	s, err := list.SignerOf(tx, domain)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if c.signers == nil {
		c.signers = map[string]*mailauth.Signer{}
	}
	c.signers[domain] = s
	return s, nil
}

func (c *Copies) bounces(tx *storage.Tx) (*list.VERP, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.verp == nil {
		secret, err := list.Secret(tx, list.VERPSecret)
		if err != nil {
			return nil, err
		}
		c.verp = list.NewVERP(secret)
	}
	return c.verp, nil
}

// Outcome implements [queue.Personaliser]: it notes the fate of copies, those with the same fate together.
func (c *Copies) Outcome(tx *storage.Tx, rendition string, outcomes []queue.Outcome) error {
	if strings.HasPrefix(rendition, noticePrefix) {
		return c.returnedNotices(tx, outcomes)
	}
	id := list.RenditionPost(rendition)
	type fate struct {
		status   queue.Status
		code     int
		enhanced string
		text     string
		host     string
	}
	rows := map[fate]int{}
	var ds []list.Delivery
	for _, o := range outcomes {
		f := fate{status: o.Status, code: o.Code, enhanced: o.Enhanced, text: o.Text, host: o.Host}
		if o.Status == queue.Delivered {
			f.text = "" // a queue id of theirs in each: not worth a row of its own
		}
		i, ok := rows[f]
		if !ok {
			i = len(ds)
			rows[f] = i
			ds = append(ds, list.Delivery{At: o.At, Status: string(f.status), Code: f.code, Enhanced: f.enhanced, Text: f.text, Host: f.host})
		}
		ds[i].To = append(ds[i].To, o.Ref)
	}
	if err := list.RecordDeliveries(tx, id, ds); err != nil {
		return err
	}
	if err := c.tally(tx, id, outcomes); err != nil {
		return err
	}
	// After they are recorded: who is to blame for a refusal depends on what was accepted beside it.
	return c.returned(tx, id, outcomes)
}

// tally adds the attempts to the numbers of the day. Of a post that is gone nothing is counted.
func (c *Copies) tally(tx *storage.Tx, id list.PostID, outcomes []queue.Outcome) error {
	post, err := list.GetPost(tx, id)
	if errors.Is(err, storage.ErrNotFound) || len(outcomes) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	names, providers := map[string]string{}, map[string]list.Attempts{}
	for _, o := range outcomes {
		domain := o.Ref[strings.LastIndexByte(o.Ref, '@')+1:]
		name, ok := names[domain]
		if !ok {
			name = providerOf(domain, o)
			names[domain] = name
		}
		a := providers[name]
		switch o.Status {
		case queue.Delivered:
			a.Accepted++
		case queue.Deferred:
			a.Deferred++
		case queue.Failed:
			a.Refused++
		default:
			continue // skipped: the receiver has left, or wants no mail
		}
		providers[name] = a
	}
	return list.Count(tx, post.List, outcomes[0].At.In(c.Site.Location), func(t *list.Tally) {
		for _, name := range slices.Sorted(maps.Keys(providers)) {
			t.Copies(name, providers[name])
		}
	})
}

// providerOf names who takes the mail of a domain: a known provider by the host that answered, or by the domain itself, else the domain.
func providerOf(domain string, o queue.Outcome) string {
	if !o.Relayed && o.Host != "" {
		if p, ok := queue.ProviderOf(queue.GroupOf(o.Host)); ok {
			return p.Name
		}
	}
	if p, ok := queue.ProviderOf(domain); ok {
		return p.Name
	}
	return domain
}

// returned tells of the copies of a post that were refused for good.
func (c *Copies) returned(tx *storage.Tx, id list.PostID, outcomes []queue.Outcome) error {
	var post *list.Post
	for _, o := range outcomes {
		if o.Status != queue.Failed || c.Returned == nil {
			continue
		}
		if post == nil {
			var err error
			if post, err = list.GetPost(tx, id); err != nil {
				return err
			}
		}
		if err := c.Returned(tx, Return{List: post.List, Post: post, Member: o.Ref, Outcome: o}); err != nil {
			return err
		}
	}
	return nil
}

// returnedNotices tells of probes that were taken, or refused for good. Of other notices nobody is told.
func (c *Copies) returnedNotices(tx *storage.Tx, outcomes []queue.Outcome) error {
	for _, o := range outcomes {
		_, p := parseRef(o.Ref)
		if o.Status != queue.Failed && o.Status != queue.Delivered || p.number == 0 || c.Returned == nil {
			continue
		}
		if err := c.Returned(tx, Return{List: p.list, Probe: p.number, Member: p.member, Outcome: o}); err != nil {
			return err
		}
	}
	return nil
}
