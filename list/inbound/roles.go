package inbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/bounce"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/dsn"
	"kairan/smtpd/message"
	"kairan/storage"
)

// bounce notes a report in the history of its post, and weighs what it means for the member. Which member it speaks of is only known from the envelope, never from its text.
func (h *Handler) bounce(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	msg := message.Parse(raw)
	report := dsn.Recognise(msg)
	named := false
	err := h.DB.Update(ctx, func(tx *storage.Tx) error {
		c, err := copyOf(tx, r, env.At)
		if named = err == nil; errors.Is(err, errNoCopy) {
			h.Log.Info("bounce", "list", r.list.Address.String(), "ignored", err.Error())
			return nil
		}
		if err != nil {
			return err
		}
		came := bounce.Came{List: r.list, Post: c.post, Probe: c.probe, Message: msg, At: env.At}
		if c.post == nil {
			return h.weigh(tx, c.member, came)
		}
		h.Log.Info("bounce", "post", c.post.ID, "member", c.member, "kind", report.Kind, "class", report.Class)
		return errors.Join(
			list.NoteBounce(tx, c.post, list.Event{At: env.At, Stage: "bounce", Text: bounceWords(c.member, report, msg)}),
			h.weigh(tx, c.member, came),
		)
	})
	if err == nil && !named && report.Kind == dsn.Complaint {
		err = h.complaint(ctx, env, report, raw)
	}
	return smtpd.Reply{}, err
}

// sent is a copy that we sent.
type sent struct {
	post   *list.Post // nil for a probe
	probe  uint64     // its number
	member string     // address key; "" for who is not known any more
}

// errNoCopy says that a bounce address is of no copy of ours, or of one sent too long ago. That is policy, and no failure.
var errNoCopy = errors.New("no copy of the last days")

// copyOf returns the copy that had the address of a route, which is a bounce address, as its envelope sender.
func copyOf(tx *storage.Tx, r route, now time.Time) (c sent, err error) {
	secret, err := list.Secret(tx, list.VERPSecret)
	if err != nil {
		return c, err
	}
	n, tag, err := list.NewVERP(secret).Parse(r.list, r.token)
	if err != nil {
		return c, fmt.Errorf("%w: %w", errNoCopy, err)
	}
	if list.IsProbe(n) {
		c.probe = n
	} else if c.post, err = list.PostByNumber(tx, r.list.ID, n); errors.Is(err, storage.ErrNotFound) || err == nil && now.Sub(c.post.Decided) > list.BounceLife {
		return c, errNoCopy
	} else if err != nil {
		return c, err
	}
	c.member, err = list.MemberByTag(tx, r.list.ID, tag)
	if errors.Is(err, list.ErrNotMember) {
		err = nil
	}
	return c, err
}

// weigh decides what a report means for a member (an address key); nothing for one who is not known any more.
func (h *Handler) weigh(tx *storage.Tx, who string, came bounce.Came) error {
	if who == "" {
		return nil
	}
	m, err := list.MemberByKey(tx, came.List.ID, who)
	if errors.Is(err, list.ErrNotMember) {
		return nil
	}
	if err != nil {
		return err
	}
	came.Member = m
	return h.Bounces.Report(tx, came)
}

// bounceWords says what a report says about a member (an address key, "" for one who is not known any more).
func bounceWords(who string, report dsn.Report, msg *message.Message) string {
	said := fmt.Sprintf("%q", msg.Header().Text("Subject"))
	if a, err := address.Parse(who); err == nil {
		if rcpt, ok := report.For(a); ok && rcpt.Diagnostic != "" {
			said = strings.TrimSpace(rcpt.MTA + " " + rcpt.Diagnostic)
		}
	}
	class := string(report.Class)
	if report.Reason != "" {
		class += " (" + report.Reason + ")"
	}
	return fmt.Sprintf("%s: %s, %s: %s", cmp.Or(who, "somebody who left"), report.Kind, class, said)
}

// maxHops ends the journey of forwarded mail long before the limit of RFC 5321, section 6.3.
const maxHops = 25

// forward sends mail for people on to the owners of a list, or to the administrator, unchanged, so that its signatures live.
// Reports and loops end here.
func (h *Handler) forward(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	msg := message.Parse(raw)
	if report := dsn.Recognise(msg); report.Kind == dsn.Complaint {
		return smtpd.Reply{}, h.complaint(ctx, env, report, raw)
	}
	if env.From.IsNull() || len(msg.Header().All("Received")) > maxHops {
		h.Log.Info("forward", "to", r.to.String(), "ignored", "a report, or a loop")
		return smtpd.Reply{}, nil
	}
	to, err := h.people(ctx, r)
	if err != nil {
		return smtpd.Reply{}, err
	}
	raw = slices.Concat(env.Received(h.Site.Hostname).Raw, raw)
	for _, a := range to {
		if err := h.Path.Forward(ctx, a, raw); err != nil {
			return smtpd.Reply{}, err
		}
	}
	h.Log.Info("forward", "to", r.to.String(), "people", len(to))
	return smtpd.Reply{}, nil
}

// people returns who is behind a role: the list's owners, or the administrator where it has none.
func (h *Handler) people(ctx context.Context, r route) (to []address.Address, err error) {
	if r.list != nil {
		err = h.DB.View(ctx, func(tx *storage.Tx) error {
			for _, m := range list.Members(tx, r.list.ID, list.RoleOwner, "") {
				to = append(to, m.Address)
			}
			return nil
		})
	}
	if len(to) == 0 {
		to = append(to, h.Site.Admin)
	}
	return to, err
}
