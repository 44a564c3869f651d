package bounce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/dsn"
	"kairan/storage"
)

// retryAfter is when something that failed here is tried again; others do not wait for it.
const retryAfter = time.Hour

// settle weighs what has come together: for each post and provider whose fault it was, and then each member.
func (b *Bouncer) settle(ctx context.Context, now time.Time) error {
	ready := map[list.PostID][]string{}
	err := b.DB.View(ctx, func(tx *storage.Tx) error {
		clear(ready)
		for k, u := range toBeWeighed.Scan(tx, storage.Range[groupKey]{}) {
			if u.ready(now) && !b.postponed(k, now) {
				ready[k.A] = append(ready[k.A], k.B)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("what came back: %w", err)
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(ready)) {
		judged, err := b.judge(ctx, id, ready[id])
		if err != nil {
			errs = append(errs, err)
			for _, provider := range ready[id] {
				b.postpone(storage.P(id, provider), now)
			}
			continue
		}
		for _, some := range b.together(ctx, id, ready[id], judged, now) {
			if err := b.settleGroup(ctx, some, judged, now); err != nil && ctx.Err() == nil {
				errs = append(errs, fmt.Errorf("what %s refused of %s: %w", providerName(some.B), id, err))
				b.postpone(some, now)
			}
		}
	}
	return errors.Join(errs...)
}

// together weighs what is of many providers that refused few, some in each transaction, and returns the other groups: those that are
// large or to blame, and those where something failed.
func (b *Bouncer) together(ctx context.Context, id list.PostID, providers []string, j judgement, now time.Time) (others []groupKey) {
	var keys []comebackKey
	var groups []groupKey
	flush := func() {
		err := b.DB.Update(ctx, func(tx *storage.Tx) error {
			for _, at := range keys {
				if err := b.weighOne(tx, at, j); err != nil {
					return err
				}
			}
			for _, k := range groups {
				if err := weighed(tx, k, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			others = append(others, groups...)
		}
		keys, groups = nil, nil
	}
	for _, provider := range providers {
		k := storage.P(id, provider)
		some, err := b.chunk(ctx, k, storage.P(k, ""), j)
		if err != nil || len(some) == stepsAtATime || j.blamed[provider] {
			others = append(others, k)
			continue
		}
		keys, groups = append(keys, some...), append(groups, k)
		if len(keys) >= stepsAtATime || len(groups) >= stepsAtATime {
			flush()
		}
	}
	if len(groups) > 0 {
		flush()
	}
	return others
}

// judgement is what is known of a post whose copies came back.
type judgement struct {
	list   *list.List // nil when list or post are gone
	post   *list.Post
	blamed map[string]bool // providers for whose refusals the post or we are to blame
}

// judge finds out about some providers of a post whether it or we are to blame for what they refused.
func (b *Bouncer) judge(ctx context.Context, id list.PostID, providers []string) (j judgement, err error) {
	err = b.DB.View(ctx, func(tx *storage.Tx) error {
		j = judgement{blamed: map[string]bool{}}
		post, err := list.GetPost(tx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		l, err := list.Get(tx, post.List)
		if errors.Is(err, list.ErrNoList) {
			return nil
		}
		if err != nil {
			return err
		}
		j.list, j.post = l, post
		var f *fates
		for _, p := range providers {
			r, err := refused.Get(tx, storage.P(id, p))
			if err != nil {
				return err
			}
			if !r.Blamed && r.many() {
				if f == nil {
					f = b.fates(tx, id)
				}
				r.Blamed = r.N >= f.accepted[p]-r.Later+f.waits(p)
			}
			j.blamed[p] = r.Blamed
		}
		return nil
	})
	if err != nil {
		return j, fmt.Errorf("whose fault it is that copies of %s came back: %w", id, err)
	}
	return j, nil
}

// settleGroup weighs the comebacks of a post and provider, some in each transaction, so that a crash repeats nothing and loses nothing.
func (b *Bouncer) settleGroup(ctx context.Context, k groupKey, j judgement, now time.Time) error {
	if j.list != nil && j.blamed[k.B] {
		if err := b.DB.Update(ctx, func(tx *storage.Tx) error { return b.blame(tx, k, j, now) }); err != nil {
			return err
		}
	}
	last := storage.P(k, "")
	var errs []error
	for {
		chunk, err := b.chunk(ctx, k, last, j)
		if err != nil || len(chunk) == 0 {
			errs = append(errs, err)
			break
		}
		last = chunk[len(chunk)-1]
		weigh := func(keys ...comebackKey) error {
			return b.DB.Update(ctx, func(tx *storage.Tx) error {
				for _, at := range keys {
					if err := b.weighOne(tx, at, j); err != nil {
						return fmt.Errorf("%s: %w", at.B, err)
					}
				}
				return nil
			})
		}
		if weigh(chunk...) == nil {
			continue
		}
		for _, at := range chunk { // one of them fails; the others do not wait for it
			errs = append(errs, weigh(at))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return b.DB.Update(ctx, func(tx *storage.Tx) error { return weighed(tx, k, now) })
}

// weighed notes that a group is done, unless more came meanwhile.
func weighed(tx *storage.Tx, k groupKey, now time.Time) error {
	u, err := toBeWeighed.Get(tx, k)
	if err != nil || !u.ready(now) {
		return ignoreNotFound(err)
	}
	if now.Sub(u.Last) < settleAfter { // there may be some that changed nothing here
		u.Since = now
		return toBeWeighed.Put(tx, k, u)
	}
	return toBeWeighed.Delete(tx, k)
}

func ignoreNotFound(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// chunk returns the next comebacks of a group that are to be dealt with.
func (b *Bouncer) chunk(ctx context.Context, k groupKey, after comebackKey, j judgement) (keys []comebackKey, err error) {
	err = b.DB.View(ctx, func(tx *storage.Tx) error {
		keys = nil
		for at, c := range comebacks.Scan(tx, storage.Range[comebackKey]{After: &after}) {
			if at.A != k || len(keys) == stepsAtATime {
				break
			}
			if c.State == "" || c.State == stateScored && j.blamed[k.B] {
				keys = append(keys, at)
			}
		}
		return nil
	})
	return keys, err
}

// weighOne gives a member its point for a comeback, or takes it back.
func (b *Bouncer) weighOne(tx *storage.Tx, at comebackKey, j judgement) error {
	c, err := comebacks.Get(tx, at)
	if err != nil {
		return ignoreNotFound(err)
	}
	before := c.State
	c.State = stateScored
	if j.blamed[at.A.B] {
		c.State = stateBlamed
	}
	if err := comebacks.Put(tx, at, c); err != nil || j.list == nil || !j.list.Settings.ProcessBounces {
		return err
	}
	m, err := list.MemberByKey(tx, j.list.ID, at.B)
	if errors.Is(err, list.ErrNotMember) {
		return nil
	}
	if err != nil {
		return err
	}
	e := event{list: j.list, post: j.post, member: m, class: c.Class, rule: c.Rule, said: c.Said, host: c.Host, at: c.At}
	switch {
	case c.State == stateScored && before == "" && e.weight() > 0:
		return b.score(tx, e)
	case c.State == stateBlamed && before == stateScored:
		return b.takeBack(tx, &e, providerName(at.A.B))
	}
	return nil
}

// postponed reports whether something that failed is not to be tried again yet.
func (b *Bouncer) postponed(what any, now time.Time) bool {
	until, ok := b.later[what]
	if ok && !now.Before(until) {
		delete(b.later, what)
		return false
	}
	return ok
}

func (b *Bouncer) postpone(what any, now time.Time) {
	if b.later == nil {
		b.later = map[any]time.Time{}
	}
	b.later[what] = now.Add(retryAfter)
}

// many reports whether so many did not get the post that it may be no fault of theirs.
func (r refusals) many() bool {
	return r.N >= blameFrom || r.Spoken >= blameSooner && 2*r.Spoken >= r.N
}

// tally finds what a provider said most often: of the class that is most frequent the first words.
type tally struct {
	n    map[dsn.Class]int
	said map[dsn.Class]comeback
}

func (t *tally) add(c comeback) {
	if t.n == nil {
		t.n, t.said = map[dsn.Class]int{}, map[dsn.Class]comeback{}
	}
	if t.n[c.Class]++; t.n[c.Class] == 1 {
		t.said[c.Class] = c
	}
}

func (t *tally) most() comeback {
	classes := slices.Sorted(maps.Keys(t.n))
	if len(classes) == 0 {
		return comeback{Class: dsn.Unknown}
	}
	return t.said[slices.MaxFunc(classes, func(a, b dsn.Class) int { return t.n[a] - t.n[b] })]
}
