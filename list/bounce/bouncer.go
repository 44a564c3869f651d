package bounce

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/posting"
	"kairan/list/subscribe"
	"kairan/smtpd/dsn"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/storage"
	"kairan/templates"
)

// Bouncer weighs what comes back. All parts are needed. Its Enable belongs into the Workflow's Actions under subscribe.ActionEnable.
type Bouncer struct {
	DB        *storage.DB
	Path      *posting.Path // sends
	Site      *list.Site
	Subscribe *subscribe.Workflow
	Templates *templates.Set
	Log       *slog.Logger

	later map[any]time.Time // what failed, and when it is tried again; Round's own
}

// event is a copy that came back.
type event struct {
	list   *list.List
	post   *list.Post // nil for a probe
	probe  uint64     // its number
	member *list.Member
	class  dsn.Class
	rule   string // of package dsn
	said   string // by the other side, one line
	host   string // that said it, or ""
	at     time.Time

	relayed bool // host is a smarthost or that of a route
	later   bool // it had been accepted before
}

// Returned takes a copy that was refused during delivery, and a probe that was not: it is the Returned of posting.Copies. What an operator
// dropped, and what we could not send, is nobody's fault.
func (b *Bouncer) Returned(tx *storage.Tx, r posting.Return) error {
	o := r.Outcome
	if o.Ours || o.Code == 0 && o.Enhanced == "" {
		return nil
	}
	l, err := list.Get(tx, r.List)
	if err != nil {
		return err
	}
	m, err := list.MemberByKey(tx, r.List, r.Member)
	if errors.Is(err, list.ErrNotMember) {
		return nil
	}
	if err != nil {
		return err
	}
	e := event{list: l, post: r.Post, probe: r.Probe, member: m, said: o.Text, relayed: o.Relayed, at: o.At}
	if o.Code != 0 {
		e.host = o.Host
	}
	if o.Status == queue.Delivered {
		return b.probeArrived(tx, e)
	}
	e.class, e.rule = dsn.Classify(o.Code, o.Enhanced, o.Text)
	return b.weigh(tx, e)
}

// Came is a message that came to the bounce address of a copy.
type Came struct {
	List    *list.List
	Post    *list.Post // nil for a probe
	Probe   uint64     // its number: list.Bounces.ProbeNumber
	Member  *list.Member
	Message *message.Message
	At      time.Time
}

// Report weighs what came to the bounce address of a copy.
func (b *Bouncer) Report(tx *storage.Tx, c Came) error {
	report := dsn.Recognise(c.Message)
	switch report.Kind {
	case dsn.Complaint:
		if !Unwanted(report) {
			return nil
		}
		return b.Complained(tx, c.List, c.Member, c.At)
	case dsn.Bounce:
	default:
		return nil
	}
	e := event{list: c.List, post: c.Post, probe: c.Probe, member: c.Member, class: report.Class, rule: report.Reason, said: c.Message.Header().Text("Subject"), at: c.At, later: true}
	if r, ok := report.For(c.Member.Address); ok {
		e.class, e.rule, e.host = r.Class, r.Reason, r.MTA
		if r.Diagnostic != "" {
			e.said = r.Diagnostic
		}
	}
	return b.weigh(tx, e)
}

// weights are the points of each class; those that are not here give none.
var weights = map[dsn.Class]float64{dsn.Gone: 1, dsn.Full: 0.5, dsn.Transient: 0.5, dsn.Unknown: 0.5}

// weight is the points of an event. docomo answers with "unknown user" for a mailbox whose owner filters us, too.
func (e *event) weight() float64 {
	if e.rule == "docomo-unknown-user" {
		return 0.5
	}
	return weights[e.class]
}

// weigh decides what an event means.
func (b *Bouncer) weigh(tx *storage.Tx, e event) error {
	if err := list.Count(tx, e.list.ID, e.at.In(b.Site.Location), func(t *list.Tally) { t.Bounce(string(e.class)) }); err != nil {
		return err
	}
	if !e.list.Settings.ProcessBounces {
		return nil
	}
	e.said = clip(e.said)
	b.Log.Info("bounce", "list", e.list.Address.String(), "member", e.member.Address.String(), "class", string(e.class), "rule", e.rule)
	if e.post == nil {
		return b.probeReturned(tx, e)
	}
	return b.keep(tx, e)
}

// clip bounds what a stranger said: it is kept in rows.
func clip(said string) string {
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "?")), " ")
	if r := []rune(said); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return said
}

// note adds a line to the member's history: the words "entry.bounce.WORD", with parameters.
func (b *Bouncer) note(tx *storage.Tx, e *event, word string, args map[string]string) error {
	return list.NoteMember(tx, e.list.ID, e.member.Address, list.Event{At: e.at, Stage: "bounce", Word: "bounce." + word, Args: args})
}

// left notes in the list's log that a member was taken off.
func left(tx *storage.Tx, e *event, word string) error {
	return list.Log(tx, e.list.ID, list.Event{At: e.at, Stage: "member", Word: "member." + word, Args: map[string]string{"address": e.member.Address.String()}})
}

// points are a score as people read it.
func points(score float64) string { return strconv.FormatFloat(score, 'g', -1, 64) }

// Run takes the steps that are due until ctx ends.
func (b *Bouncer) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := b.Round(ctx, time.Now()); err != nil && ctx.Err() == nil {
			b.Log.Error("bounces: will retry in a minute", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
