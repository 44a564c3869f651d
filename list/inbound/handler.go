package inbound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"kairan/list"
	"kairan/list/bounce"
	"kairan/list/command"
	"kairan/list/posting"
	"kairan/list/rules"
	"kairan/list/subscribe"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// Handler implements [smtpd.Handler] for a site's lists.
type Handler struct {
	DB   *storage.DB
	Path *posting.Path
	Site *list.Site
	Log  *slog.Logger
	// Leave takes a member off a list because of its unsubscribe token, and tells it so. It returns list.ErrNotMember for an unknown token.
	Leave func(ctx context.Context, token string) error
	// Subscribe carries people onto lists and off them.
	Subscribe *subscribe.Workflow
	// Commands answers the mail to -request.
	Commands *command.Processor
	// Moderate is offered each mail that answers with a token before Subscribe is: an answer to a notice of held posts. ok is
	// false for a token of another kind. Nil is asked nothing.
	Moderate func(ctx context.Context, env *smtpd.Envelope, token string, msg *message.Message) (r smtpd.Reply, ok bool, err error)
	// Bounces weighs what comes back.
	Bounces *bounce.Bouncer
	// Refused mails the author of a post that this list refused and another one took.
	Refused func(ctx context.Context, l *list.List, p *list.Post) error
}

// Rcpt implements [smtpd.Handler]: it knows the role of an address before the message is sent.
func (h *Handler) Rcpt(ctx context.Context, env *smtpd.Envelope, to address.Address) (smtpd.Reply, error) {
	var r route
	err := h.DB.View(ctx, func(tx *storage.Tx) (err error) {
		r, err = h.find(tx, to)
		return err
	})
	switch {
	case errors.Is(err, errUnknown):
		return reply(550, 5, 1, 1, "no such list or address here: check the spelling at "+h.Site.URL+"/"), nil
	case err != nil:
		return smtpd.Reply{}, fmt.Errorf("recipient %s: %w", to, err)
	case r.list != nil && !r.list.Removed.IsZero():
		return reply(550, 5, 1, 6, "this list was closed on "+r.list.Removed.Format(time.DateOnly)+": its archive may still be at "+h.Site.ListURL(r.list)), nil
	}
	return smtpd.Reply{}, nil
}

// Data implements [smtpd.Handler]. The message goes to each recipient's role; posts to several lists go together, because SMTP
// has one reply for all of them.
func (h *Handler) Data(ctx context.Context, env *smtpd.Envelope, raw []byte) ([]smtpd.Reply, error) {
	routes := make([]route, len(env.To))
	err := h.DB.View(ctx, func(tx *storage.Tx) (err error) {
		for i, to := range env.To {
			if routes[i], err = h.find(tx, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recipients: %w", err)
	}
	replies := make([]smtpd.Reply, len(routes))
	if err := h.post(ctx, env, routes, replies, raw); err != nil {
		return nil, err
	}
	if deferred(env, replies) {
		return replies[:1], nil
	}
	for i, r := range routes {
		if r.role == rolePost {
			continue
		}
		if replies[i], err = h.deliver(ctx, env, r, raw); err != nil {
			return nil, fmt.Errorf("%s: %w", r.to, err)
		}
	}
	if env.LMTP {
		return replies, nil
	}
	return []smtpd.Reply{best(replies)}, nil
}

// post takes the message to its lists, each once.
func (h *Handler) post(ctx context.Context, env *smtpd.Envelope, routes []route, replies []smtpd.Reply, raw []byte) error {
	var to []*list.List
	at := map[list.ID]int{}
	for _, r := range routes {
		if _, seen := at[r.listID()]; r.role == rolePost && !seen {
			at[r.list.ID] = len(to)
			to = append(to, r.list)
		}
	}
	if len(to) == 0 {
		return nil
	}
	posts, err := h.Path.Receive(ctx, env, to, raw)
	if err != nil {
		return err
	}
	for i, r := range routes {
		if r.role == rolePost {
			replies[i] = rules.Reply(h.Site, r.list, posts[at[r.list.ID]].Verdict)
		}
	}
	if !env.LMTP && !slices.ContainsFunc(replies, temporary) && best(replies).OK() {
		h.tellRefused(ctx, to, posts)
	}
	return nil
}

// tellRefused mails an authenticated author which lists refused a message that others took: the one reply of SMTP cannot say it.
// That the mail cannot be queued changes nothing for the posts, which are on disk.
func (h *Handler) tellRefused(ctx context.Context, lists []*list.List, posts []*list.Post) {
	for i, p := range posts {
		if p.Verdict.Action != list.Reject || !p.Auth.Author() {
			continue
		}
		if err := h.Refused(ctx, lists[i], p); err != nil {
			h.Log.Error("an author was not told of a refusal", "post", p.ID, "err", err)
		}
	}
}

func (r route) listID() list.ID {
	if r.list == nil {
		return ""
	}
	return r.list.ID
}

// deliver takes the message to a role that is not a post.
func (h *Handler) deliver(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	switch r.role {
	case roleBounces:
		return h.bounce(ctx, env, r, raw)
	case roleJoin, roleLeave, roleConfirm:
		return h.membership(ctx, env, r, raw)
	case roleRequest:
		return h.request(ctx, env, r, raw)
	default:
		return h.forward(ctx, env, r, raw)
	}
}

// deferred puts the reply for the whole message first when one of them defers it.
func deferred(env *smtpd.Envelope, replies []smtpd.Reply) bool {
	if env.LMTP {
		return false
	}
	i := slices.IndexFunc(replies, temporary)
	if i > 0 {
		replies[0] = replies[i]
	}
	return i >= 0
}

func temporary(r smtpd.Reply) bool { return r.Code/100 == 4 }

// best returns the reply for a message with several recipients: accepted if anybody has it.
func best(replies []smtpd.Reply) smtpd.Reply {
	if i := slices.IndexFunc(replies, smtpd.Reply.OK); i >= 0 {
		return replies[i]
	}
	return replies[0]
}

func reply(code, class, subject, detail int, text string) smtpd.Reply {
	return smtpd.Reply{Code: code, Enhanced: [3]int{class, subject, detail}, Text: text}
}
