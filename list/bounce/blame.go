package bounce

import (
	"context"
	"errors"
	"fmt"
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

// Limits of what is blamed on a provider.
const (
	blameFrom   = 10   // members of one provider who did not get the same post
	blameSooner = 5    // where the provider speaks of the message or of us
	blameMost   = 1000 // members remembered
	blameLife   = 15 * 24 * time.Hour
)

// refusals are the members of one provider who did not get a post.
type refusals struct {
	Members []string `json:"members"` // address keys
	Blamed  bool     `json:"blamed,omitempty"`
}

type refusalsKey = storage.Pair[list.PostID, string]

var refused = storage.NewTable[refusalsKey, refusals]("bounce_refusals", storage.Pairs(storage.Strings[list.PostID](), storage.Strings[string]()))

// blame counts who was refused the same post by the same provider. It reports whether the post or we are to blame for it.
func (b *Bouncer) blame(tx *storage.Tx, e event) (bool, error) {
	k := storage.P(e.post.ID, e.provider())
	r, err := refused.Get(tx, k)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return false, err
	}
	if r.Blamed || len(r.Members) >= blameMost {
		return r.Blamed, nil
	}
	r.Members = append(r.Members, e.member.Address.Key())
	from := blameFrom
	if weights[e.class] == 0 {
		from = blameSooner
	}
	// Counting what was accepted means reading what became of every copy, so it is done rarely.
	if n := len(r.Members); n == from || n%50 == 0 && n > from {
		r.Blamed = n >= accepted(tx, e.post.ID, e.provider())
	}
	if err := refused.Put(tx, k, r); err != nil || !r.Blamed {
		return false, err
	}
	b.Log.Warn("bounce", "list", e.list.Address.String(), "post", e.post.ID, "refused by", e.provider(), "members", len(r.Members), "said", e.said)
	for _, key := range r.Members {
		if err := b.takeBack(tx, &e, key); err != nil {
			return true, err
		}
	}
	return true, b.tellAdmin(tx, &e, len(r.Members))
}

// accepted counts the copies of a post that a provider took.
func accepted(tx *storage.Tx, id list.PostID, provider string) (n int) {
	for d := range list.Deliveries(tx, id) {
		if d.Status != string(queue.Delivered) {
			continue
		}
		for _, to := range d.To {
			if strings.HasSuffix(to, "@"+provider) {
				n++
			}
		}
	}
	return n
}

// takeBack takes the point for the post from a member.
func (b *Bouncer) takeBack(tx *storage.Tx, e *event, key string) error {
	h, err := list.GetBounces(tx, e.list.ID, key)
	if err != nil || h.Post != e.post.ID {
		return err
	}
	if !h.Disabled.IsZero() && e.list.Settings.BounceSendProbes {
		return nil // a probe came back too, and that was no post
	}
	m, err := list.MemberByKey(tx, e.list.ID, key)
	if errors.Is(err, list.ErrNotMember) {
		return nil
	}
	if err != nil {
		return err
	}
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
		b.note(tx, &event{list: e.list, member: m, at: e.at}, fmt.Sprintf("score %g: the point is taken back, because %s refuses the post to many", h.Score, e.provider())),
	)
}

// tellAdmin tells the administrator what a provider says about a post, and what may help.
func (b *Bouncer) tellAdmin(tx *storage.Tx, e *event, members int) error {
	lang := b.Site.Language
	class := e.class
	if !slices.Contains([]dsn.Class{dsn.Policy, dsn.Content, dsn.Reputation, dsn.Gone}, class) {
		class = dsn.Unknown
	}
	n, err := b.Subscribe.Letter(tx, subscribe.Letter{List: e.list, To: b.Site.Admin, Name: "bounce-blame", Lang: lang, Unasked: true, Args: map[string]string{
		"provider": e.provider(), "n": strconv.Itoa(members), "said": e.said, "subject": e.post.Subject, "id": e.post.MessageID,
		"remedy": b.Templates.T(lang, "bounce.remedy-"+string(class)),
	}})
	if err != nil {
		return err
	}
	return b.Path.Queue(tx, n)
}

// forgetBlame forgets what was refused long ago: reports about such posts are no longer taken.
func (b *Bouncer) forgetBlame(ctx context.Context, now time.Time) error {
	for more := true; more; {
		err := b.DB.Update(ctx, func(tx *storage.Tx) error {
			var old []refusalsKey
			last := list.PostID(storage.NewID(now.Add(-blameLife)))
			for k := range refused.Scan(tx, storage.Range[refusalsKey]{}) {
				if k.A >= last || len(old) == stepsAtATime {
					break
				}
				old = append(old, k)
			}
			more = len(old) == stepsAtATime
			for _, k := range old {
				if err := refused.Delete(tx, k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget refusals: %w", err)
		}
	}
	return nil
}
