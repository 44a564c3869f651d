package bounce

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/posting"
	"kairan/list/subscribe"
	"kairan/smtpd/dsn"
	"kairan/smtpd/message"
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
}

// event is a copy that came back.
type event struct {
	list   *list.List
	post   *list.Post // nil for a probe
	member *list.Member
	class  dsn.Class
	rule   string // of package dsn
	said   string // by the other side, one line
	at     time.Time
}

// provider is who refused: the receivers of one domain are at one provider.
func (e *event) provider() string { return e.member.Address.ASCIIDomain() }

// Returned takes a copy that was refused during delivery: it is the Returned of posting.Copies. What an operator dropped, and what
// we could not send, is nobody's fault.
func (b *Bouncer) Returned(tx *storage.Tx, r posting.Return) error {
	o := r.Outcome
	if o.Code == 0 && o.Enhanced == "" {
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
	class, rule := dsn.Classify(o.Code, o.Enhanced, o.Text)
	return b.weigh(tx, event{list: l, post: r.Post, member: m, class: class, rule: rule, said: o.Text, at: o.At})
}

// Report takes a message that came to the bounce address of a copy of post, or with nil of a probe, to a member.
func (b *Bouncer) Report(tx *storage.Tx, l *list.List, post *list.Post, m *list.Member, msg *message.Message, at time.Time) error {
	report := dsn.Recognise(msg)
	switch report.Kind {
	case dsn.Complaint:
		if !Unwanted(report) {
			return nil
		}
		return b.Complained(tx, l, m, at)
	case dsn.Bounce:
	default:
		return nil
	}
	e := event{list: l, post: post, member: m, class: report.Class, rule: report.Reason, said: msg.Header().Text("Subject"), at: at}
	if r, ok := report.For(m.Address); ok {
		e.class, e.rule = r.Class, r.Reason
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
	if !e.list.Settings.ProcessBounces {
		return nil
	}
	e.said = clip(e.said)
	b.Log.Info("bounce", "list", e.list.Address.String(), "member", e.member.Address.String(), "class", string(e.class), "rule", e.rule)
	if e.post == nil {
		return b.probeReturned(tx, e)
	}
	blamed, err := b.blame(tx, e)
	if err != nil || blamed || e.weight() == 0 {
		return err
	}
	return b.score(tx, e)
}

// clip bounds what a stranger said: it is kept in rows.
func clip(said string) string {
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "?")), " ")
	if r := []rune(said); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return said
}

// note adds a line to the member's history.
func (b *Bouncer) note(tx *storage.Tx, e *event, text string) error {
	return list.NoteMember(tx, e.list.ID, e.member.Address, list.Event{At: e.at, Stage: "bounce", Text: text})
}

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
