package bounce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"kairan/list"
	"kairan/list/posting"
	"kairan/list/subscribe"
	"kairan/smtpd/dsn"
	"kairan/storage"
)

// probeWait is how long a probe may take to come back: the queue tries for five days.
const probeWait = 7 * 24 * time.Hour

// score gives the member a point for the day, and does what enough points ask for.
func (b *Bouncer) score(tx *storage.Tx, e event) error {
	s, set := e.member, &e.list.Settings
	h, err := list.GetBounces(tx, e.list.ID, s.Address.Key())
	if err != nil {
		return err
	}
	if !h.Disabled.IsZero() || !h.Probe.IsZero() && !h.Arrived || !s.Receives(e.at) {
		return nil
	}
	stale := time.Duration(set.BounceInfoStaleAfter) * 24 * time.Hour
	if e.at.Sub(h.Last) > stale {
		h = list.Bounces{Probe: h.Probe, Arrived: h.Arrived}
	}
	given := 0.0
	if b.day(h.Last) == b.day(e.at) || e.at.Before(h.Last) {
		given = h.Point
	}
	if e.weight() <= given {
		return nil
	}
	h.Score += e.weight() - given
	if e.at.After(h.Last) {
		h.Last = e.at
	}
	h.Point, h.Post, h.Text, h.Due = e.weight(), e.post.ID, e.said, h.Last.Add(stale)
	said := map[string]string{"score": points(h.Score), "most": points(set.BounceScoreThreshold), "class": string(e.class), "rule": e.rule, "said": e.said}
	if err := b.note(tx, &e, "score", said); err != nil {
		return err
	}
	if err := b.tell(tx, &e, newsPoint); err != nil {
		return err
	}
	if h.Score < set.BounceScoreThreshold {
		return list.SetBounces(tx, e.list.ID, s.Address.Key(), h)
	}
	if !set.BounceSendProbes {
		return b.disable(tx, &e, h)
	}
	h.Probe, h.Arrived = time.Now(), false
	h.Due = h.Probe.Add(probeWait)
	return errors.Join(
		list.SetBounces(tx, e.list.ID, s.Address.Key(), h),
		b.note(tx, &e, "probe", nil),
		b.mailProbe(tx, &e, h),
	)
}

// day names the day of a moment at the site.
func (b *Bouncer) day(t time.Time) string { return t.In(b.Site.Location).Format(time.DateOnly) }

// probeArrived forgets the points of a member whose mail host took the probe. A smarthost that did says nothing about the mailbox. There are
// hosts that take everything and return it later, so what is known of the probe stays.
func (b *Bouncer) probeArrived(tx *storage.Tx, e event) error {
	h, err := list.GetBounces(tx, e.list.ID, e.member.Address.Key())
	if err != nil || e.relayed || h.Probe.IsZero() || h.Arrived || !h.Disabled.IsZero() || h.ProbeNumber() != e.probe {
		return err
	}
	return errors.Join(
		list.SetBounces(tx, e.list.ID, e.member.Address.Key(), list.Bounces{Probe: h.Probe, Arrived: true, Text: h.Text, Due: h.Due}),
		b.note(tx, &e, "probe-taken", map[string]string{"host": e.host}),
	)
}

// probeReturned switches delivery off, unless what came back says nothing about the mailbox.
func (b *Bouncer) probeReturned(tx *storage.Tx, e event) error {
	h, err := list.GetBounces(tx, e.list.ID, e.member.Address.Key())
	if err != nil || h.Probe.IsZero() || !h.Disabled.IsZero() || h.ProbeNumber() != e.probe {
		return err // what comes back of an older probe says nothing any more
	}
	if e.weight() == 0 {
		return errors.Join(
			list.SetBounces(tx, e.list.ID, e.member.Address.Key(), list.Bounces{}),
			b.note(tx, &e, "probe-other", map[string]string{"class": string(e.class), "said": e.said}),
		)
	}
	h.Text = e.said
	return b.disable(tx, &e, h)
}

// disable switches delivery off. The first warning is due at once.
func (b *Bouncer) disable(tx *storage.Tx, e *event, h list.Bounces) error {
	m := *e.member
	if !m.Receives(e.at) {
		return list.SetBounces(tx, e.list.ID, m.Address.Key(), list.Bounces{})
	}
	m.DeliveryStatus = list.DeliveryByBounces
	h.Disabled, h.Due, h.Warned, h.Probe = e.at, e.at, 0, time.Time{}
	b.Log.Info("bounce", "list", e.list.Address.String(), "member", m.Address.String(), "delivery", "off")
	return errors.Join(
		list.SetMember(tx, m),
		list.SetBounces(tx, e.list.ID, m.Address.Key(), h),
		b.note(tx, e, "off", map[string]string{"said": h.Text}),
		b.tell(tx, e, newsDisabled),
	)
}

// stepsAtATime bounds what one transaction does.
const stepsAtATime = 100

// Round weighs what came back, takes the steps that are due, tells owners what is new, and forgets what is old. What fails is tried
// again in an hour; nothing else waits for it. It is called by one at a time.
func (b *Bouncer) Round(ctx context.Context, now time.Time) error {
	err := errors.Join(b.settle(ctx, now), b.steps(ctx, now), b.sendNews(ctx, now), b.forgetBlame(ctx, now))
	b.Path.Wake()
	return err
}

// member is whom a step is about.
type member struct {
	list list.ID
	key  string
}

// steps takes the steps that are due.
func (b *Bouncer) steps(ctx context.Context, now time.Time) error {
	var errs []error
	for {
		due, err := b.due(ctx, now)
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("steps that are due: %w", err))...)
		}
		take := func(some ...member) error {
			return b.DB.Update(ctx, func(tx *storage.Tx) error {
				for _, m := range some {
					if err := b.step(tx, m.list, m.key, now); err != nil {
						return fmt.Errorf("step for %s: %w", m.key, err)
					}
				}
				return nil
			})
		}
		if take(due...) != nil {
			for _, m := range due { // one of them fails; the others do not wait for it
				if err := take(m); err != nil {
					b.postpone(m, now)
					errs = append(errs, err)
				}
			}
		}
		if len(due) < stepsAtATime || ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
}

// due returns some of those for whom a step is due.
func (b *Bouncer) due(ctx context.Context, now time.Time) (due []member, err error) {
	err = b.DB.View(ctx, func(tx *storage.Tx) error {
		due = nil
		for id, key := range list.BouncesDue(tx, now) {
			if m := (member{id, key}); !b.postponed(m, now) {
				if due = append(due, m); len(due) == stepsAtATime {
					break
				}
			}
		}
		return nil
	})
	return due, err
}

// step does what is due about a member.
func (b *Bouncer) step(tx *storage.Tx, id list.ID, key string, now time.Time) error {
	h, err := list.GetBounces(tx, id, key)
	if err != nil {
		return err
	}
	l, err := list.Get(tx, id)
	if err == nil && !l.Removed.IsZero() {
		err = list.ErrNoList
	}
	var m *list.Member
	if err == nil {
		m, err = list.MemberByKey(tx, id, key)
	}
	if errors.Is(err, list.ErrNotMember) || errors.Is(err, list.ErrNoList) {
		return list.SetBounces(tx, id, key, list.Bounces{})
	}
	if err != nil {
		return err
	}
	e := &event{list: l, member: m, at: now}
	if !l.Settings.ProcessBounces { // nothing happens until it is switched on again
		h.Due = now.AddDate(0, 0, 1)
		return list.SetBounces(tx, id, key, h)
	}
	switch {
	case !h.Disabled.IsZero() && h.Warned < l.Settings.BounceYouAreDisabledWarnings:
		return b.warn(tx, e, h)
	case !h.Disabled.IsZero():
		return b.remove(tx, e, h)
	case !h.Probe.IsZero() && !h.Arrived:
		return errors.Join(list.SetBounces(tx, id, key, list.Bounces{}), b.note(tx, e, "probe-silent", nil))
	}
	return list.SetBounces(tx, id, key, list.Bounces{}) // stale, or of a probe that arrived and stayed there
}

// warn tells a member that delivery is off and how it is switched on again.
func (b *Bouncer) warn(tx *storage.Tx, e *event, h list.Bounces) error {
	interval := e.list.Settings.BounceYouAreDisabledWarningsInterval
	h.Warned++
	h.Due = e.at.AddDate(0, 0, interval)
	left := e.list.Settings.BounceYouAreDisabledWarnings - h.Warned
	removal := e.at.AddDate(0, 0, (left+1)*interval).In(b.Site.Location).Format(time.DateOnly)
	r := subscribe.Request{List: e.list, Address: e.member.Address, Verified: true, Now: e.at}
	p := list.Pending{Action: subscribe.ActionEnable, Expires: h.Due}
	res, err := b.Subscribe.Ask(tx, r, p, "bounce-disabled", map[string]string{"said": h.Text, "removal": removal})
	if err != nil {
		return err
	}
	for _, n := range res.Mails {
		n.Unasked = true
		if err := b.Path.Queue(tx, n); err != nil {
			return err
		}
	}
	return errors.Join(
		list.SetBounces(tx, e.list.ID, e.member.Address.Key(), h),
		b.note(tx, e, "warning", map[string]string{"which": strconv.Itoa(h.Warned), "of": strconv.Itoa(e.list.Settings.BounceYouAreDisabledWarnings)}),
	)
}

// Enable switches delivery on again: it is a [subscribe.Action].
func (b *Bouncer) Enable(tx *storage.Tx, l *list.List, p *list.Pending, c subscribe.Confirmation) (subscribe.Result, error) {
	m, err := list.GetMember(tx, l.ID, list.RoleMember, p.Address)
	if errors.Is(err, list.ErrNotMember) || err == nil && m.DeliveryStatus != list.DeliveryByBounces {
		return subscribe.Result{}, list.ErrToken // nothing is to be switched on
	}
	if err != nil {
		return subscribe.Result{}, err
	}
	m.DeliveryStatus = list.DeliveryEnabled
	e := &event{list: l, member: m, at: c.Now}
	return subscribe.Result{State: subscribe.Enabled, List: l}, errors.Join(list.SetMember(tx, *m), b.note(tx, e, "on", nil))
}

// remove takes a member off the list.
func (b *Bouncer) remove(tx *storage.Tx, e *event, h list.Bounces) error {
	b.Log.Info("bounce", "list", e.list.Address.String(), "member", e.member.Address.String(), "removed", true)
	return errors.Join(
		list.Leave(tx, e.list.ID, list.RoleMember, e.member.Address, e.at.In(b.Site.Location)),
		b.note(tx, e, "removed", map[string]string{"n": strconv.Itoa(h.Warned), "said": h.Text}),
		left(tx, e, "bounced"),
		b.tell(tx, e, newsRemoved),
	)
}

// Unwanted reports whether a complaint says that its reader wants no more. Others praise (RFC 5965, section 3.1: not-spam), or speak
// of authentication (RFC 6591) or of a virus.
func Unwanted(r dsn.Report) bool {
	return slices.Contains([]string{"", "abuse", "fraud", "other", "opt-out", "opt-out-list"}, r.FeedbackType)
}

// Complained takes a member off the list whose provider reports that the member called a copy spam. It can be taken back like any
// leaving by an unsubscribe token.
func (b *Bouncer) Complained(tx *storage.Tx, l *list.List, m *list.Member, at time.Time) error {
	e := &event{list: l, member: m, at: at, class: dsn.NotABounce}
	b.Log.Info("bounce", "list", l.Address.String(), "member", m.Address.String(), "complaint", true)
	if _, _, err := list.LeaveByToken(tx, m.Token, at.In(b.Site.Location)); err != nil {
		return err
	}
	return errors.Join(
		b.note(tx, e, "complaint", nil),
		left(tx, e, "complained"),
		b.tell(tx, e, newsComplaint),
	)
}

// mailProbe sends a mail that tries the mailbox of a member.
func (b *Bouncer) mailProbe(tx *storage.Tx, e *event, h list.Bounces) error {
	n, err := b.Subscribe.Letter(tx, subscribe.Letter{List: e.list, To: e.member.Address, Name: "bounce-probe", Args: map[string]string{"said": h.Text}, Unasked: true})
	if err != nil {
		return err
	}
	n.Probe = &posting.Probe{Member: e.member, Number: h.ProbeNumber()}
	return b.Path.Queue(tx, n)
}
