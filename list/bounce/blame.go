package bounce

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
	"kairan/list/subscribe"
	"kairan/smtpd/dsn"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// Limits of what is blamed on a post or on us.
const (
	blameFrom   = 10 // members of one provider who did not get the same post
	blameSooner = 5  // where the provider speaks of the message or of us
	blameNames  = 5  // domains of receivers named in the mail
)

// fates is what became of the copies of a post, by provider.
type fates struct {
	accepted, waiting map[string]int
}

// waits is how many copies to a provider are not settled yet. Where a smarthost takes all mail, that is what waits for its one group.
func (f *fates) waits(provider string) int {
	if host, ok := strings.CutPrefix(provider, ">"); ok {
		return f.waiting[host] + f.waiting[""]
	}
	return f.waiting[provider]
}

// fates reads what became of every copy, which costs as much as there are: it is done once for all providers that may be to blame.
func (b *Bouncer) fates(tx *storage.Tx, id list.PostID) *fates {
	f := &fates{accepted: map[string]int{}, waiting: map[string]int{}}
	for d := range list.Deliveries(tx, id) {
		if d.Status != string(queue.Delivered) {
			continue
		}
		f.accepted[queue.GroupOf(d.Host)] += len(d.To)
		f.accepted[">"+d.Host] += len(d.To)
		for _, to := range d.To {
			f.accepted[to[strings.LastIndexByte(to, '@'):]]++
		}
	}
	for r := range b.Path.Outbox.Rows(tx) {
		if list.RenditionPost(r.Rendition) != id {
			continue
		}
		for _, to := range r.Recipients {
			domain := to.To.ASCIIDomain()
			f.waiting["@"+domain]++
			f.waiting[cmp.Or(b.Path.Outbox.GroupOf(domain), r.Group)]++
		}
	}
	return f
}

// blame notes that a post or we are to blame for what a provider refused, and tells the administrator, once.
func (b *Bouncer) blame(tx *storage.Tx, k groupKey, j judgement, now time.Time) error {
	r, err := refused.Get(tx, k)
	if err != nil || r.Blamed {
		return err
	}
	r.Blamed = true
	if err := refused.Put(tx, k, r); err != nil {
		return err
	}
	var words tally
	domains := map[string]int{}
	for at, c := range storage.Under(tx, comebacks, groupPlace, k) {
		words.add(c)
		domains[at.B[strings.LastIndexByte(at.B, '@')+1:]]++
	}
	most := words.most()
	b.Log.Warn("bounce", "list", j.list.Address.String(), "post", k.A, "refused by", providerName(k.B), "members", r.N, "said", most.Said)
	return b.tellAdmin(tx, k, j, r.N, most, domains)
}

// tellAdmin tells the administrator what a provider says about a post, and what may help.
func (b *Bouncer) tellAdmin(tx *storage.Tx, k groupKey, j judgement, members int, most comeback, domains map[string]int) error {
	lang, class := b.Site.Language, most.Class
	if !slices.Contains([]dsn.Class{dsn.Policy, dsn.Content, dsn.Reputation, dsn.Gone}, class) {
		class = dsn.Unknown
	}
	names := slices.SortedFunc(maps.Keys(domains), func(a, b string) int { return cmp.Or(domains[b]-domains[a], strings.Compare(a, b)) })
	at := strings.Join(names[:min(len(names), blameNames)], ", ")
	if len(names) > blameNames {
		at += ", …"
	}
	n, err := b.Subscribe.Letter(tx, subscribe.Letter{List: j.list, To: b.Site.Admin, Name: "bounce-blame", Lang: lang, Unasked: true, Args: map[string]string{
		"provider": providerName(k.B), "n": strconv.Itoa(members), "domains": at, "host": cmp.Or(most.Host, providerName(k.B)), "said": most.Said,
		"subject": j.post.Subject, "id": j.post.MessageID, "remedy": b.Templates.T(lang, "bounce.remedy-"+string(class)),
	}})
	if err != nil {
		return err
	}
	return b.Path.Queue(tx, n)
}

// takeBack takes the point for a post from a member.
func (b *Bouncer) takeBack(tx *storage.Tx, e *event, provider string) error {
	key := e.member.Address.Key()
	h, err := list.GetBounces(tx, e.list.ID, key)
	if err != nil || h.Post != e.post.ID {
		return err
	}
	if !h.Disabled.IsZero() && e.list.Settings.BounceSendProbes {
		return nil // a probe came back too, and that was no post
	}
	m := e.member
	if m.DeliveryStatus == list.DeliveryByBounces {
		m.DeliveryStatus = list.DeliveryEnabled
		if err := list.SetMember(tx, *m); err != nil {
			return err
		}
		h.Disabled, h.Warned, h.Due = time.Time{}, 0, h.Last.AddDate(0, 0, e.list.Settings.BounceInfoStaleAfter)
		if err := list.SetBounces(tx, e.list.ID, key, list.Bounces{}); err != nil {
			return err
		}
	}
	h.Score -= h.Point
	h.Point, h.Post, h.Probe = 0, "", time.Time{}
	if h.Score <= 0 {
		h = list.Bounces{}
	}
	return errors.Join(
		list.SetBounces(tx, e.list.ID, key, h),
		b.note(tx, e, "taken-back", map[string]string{"score": points(h.Score), "provider": provider}),
	)
}

// forgetBlame forgets what came back long ago: reports about such posts are no longer taken.
func (b *Bouncer) forgetBlame(ctx context.Context, now time.Time) error {
	last := list.PostID(storage.NewID(now.Add(-comebackFor)))
	if err := forget(ctx, b.DB, comebacks, func(k comebackKey) bool { return k.A.A < last }); err != nil {
		return fmt.Errorf("forget what came back: %w", err)
	}
	if err := forget(ctx, b.DB, refused, func(k groupKey) bool { return k.A < last }); err != nil {
		return fmt.Errorf("forget refusals: %w", err)
	}
	return nil
}

// forget deletes rows from the front of a table for as long as they are old.
func forget[K, V any](ctx context.Context, db *storage.DB, t storage.Table[K, V], old func(K) bool) error {
	for more := true; more; {
		var keys []K
		err := db.View(ctx, func(tx *storage.Tx) error {
			keys = nil
			for k := range t.Scan(tx, storage.Range[K]{}) {
				if !old(k) || len(keys) == 10*stepsAtATime {
					break
				}
				keys = append(keys, k)
			}
			return nil
		})
		if more = len(keys) == 10*stepsAtATime; err != nil || len(keys) == 0 {
			return err
		}
		err = db.Update(ctx, func(tx *storage.Tx) error {
			for _, k := range keys {
				if err := t.Delete(tx, k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
