package inbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/rules"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// tokenIn finds an unsubscribe token in a Subject such as "unsubscribe TOKEN".
func tokenIn(subject string) string {
	for word := range strings.FieldsSeq(subject) {
		if len(word) == 32 && strings.Trim(word, "0123456789abcdef") == "" {
			return word
		}
	}
	return ""
}

// leave acts on the mailto: form of List-Unsubscribe. The token of a copy is permission enough, as in the https form;
// without one the author must be authenticated. Automatic mail never acts.
func (h *Handler) leave(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	msg := message.Parse(raw)
	facts := rules.Gather(msg, env)
	if rules.Automatic(&facts) {
		h.Log.Info("leave", "list", r.list.Address.String(), "ignored", "automatic mail")
		return smtpd.Reply{}, nil
	}
	token := tokenIn(facts.Subject)
	if token == "" {
		var err error
		if token, err = h.tokenOf(ctx, env, r.list, facts.Author, msg); err != nil {
			return smtpd.Reply{}, err
		}
	}
	err := h.Leave(ctx, token)
	if errors.Is(err, list.ErrNotMember) {
		return reply(550, 5, 7, 1, "to leave, answer from the address you joined with, send the Subject that the List-Unsubscribe field of your copy names, or write to "+r.list.Suffixed("owner").Wire()), nil
	}
	return smtpd.Reply{}, err
}

// tokenOf returns the unsubscribe token of the author of a mail who is a member and authenticated, else "".
func (h *Handler) tokenOf(ctx context.Context, env *smtpd.Envelope, l *list.List, author address.Address, msg *message.Message) (token string, err error) {
	if author.IsNull() || !h.Path.Authenticated(ctx, env, msg) {
		return "", nil
	}
	err = h.DB.View(ctx, func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, author)
		if err == nil {
			token = m.Token
		}
		if errors.Is(err, list.ErrNotMember) {
			return nil
		}
		return err
	})
	return token, err
}

// bounce notes a delivery report in the history of its post.
func (h *Handler) bounce(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	subject := message.Parse(raw).Header().Text("Subject")
	return smtpd.Reply{}, h.DB.Update(ctx, func(tx *storage.Tx) error {
		secret, err := list.Secret(tx, list.VERPSecret)
		if err != nil {
			return err
		}
		n, tag, err := list.NewVERP(secret).Parse(r.list, r.token)
		if err != nil {
			h.Log.Info("bounce", "list", r.list.Address.String(), "ignored", err.Error())
			return nil
		}
		p, err := list.PostByNumber(tx, r.list.ID, n)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		who, err := list.MemberByTag(tx, r.list.ID, tag)
		if err != nil && !errors.Is(err, list.ErrNotMember) {
			return err
		}
		h.Log.Info("bounce", "post", p.ID, "member", who, "from", env.From.String())
		return list.NoteBounce(tx, p, list.Event{At: time.Now(), Stage: "bounce", Text: fmt.Sprintf("%s: a report from <%s>: %q", who, env.From, subject)})
	})
}

// maxHops ends the journey of forwarded mail long before the limit of RFC 5321, section 6.3.
const maxHops = 25

// forward sends mail for people on to the owners of a list, or to the administrator, unchanged, so that its signatures live.
// Reports and loops end here.
func (h *Handler) forward(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	msg := message.Parse(raw)
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
