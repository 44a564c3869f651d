package inbound

import (
	"context"
	"errors"
	"slices"
	"strings"

	"kairan/list"
	"kairan/list/command"
	"kairan/list/rules"
	"kairan/list/subscribe"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// question is a mail that asks for something, and who asks.
type question struct {
	msg      *message.Message
	author   address.Address
	name     string // of the author, as written
	subject  string
	verified bool   // the author is authenticated
	unproven error  // posting.ErrUnproven: whether the author is cannot be said now
	id       string // its Message-ID, without "<>"
}

// ask reads a mail that asks for something. ok is false for automatic mail, which never acts and is never answered.
func (h *Handler) ask(ctx context.Context, env *smtpd.Envelope, raw []byte) (q question, ok bool) {
	q.msg = message.Parse(raw)
	facts := rules.Gather(q.msg, env)
	if rules.Automatic(&facts) || env.From.IsNull() {
		return q, false
	}
	q.author, q.subject = facts.Author, facts.Subject
	if boxes, err := address.ParseList(q.msg.Header().Get("From"), message.DecodeHeader); err == nil && len(boxes) == 1 {
		q.name = boxes[0].Name
	}
	q.id = message.MessageID(q.msg.Header().Get("Message-ID"))
	if !q.author.IsNull() {
		q.verified, q.unproven = h.Path.Authenticated(ctx, env, q.msg)
	}
	return q, true
}

// membership is mail to -join, -leave and -confirm: what it says inside is never read, but for the token of a mailto: link.
func (h *Handler) membership(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	q, ok := h.ask(ctx, env, raw)
	if !ok {
		h.Log.Info(string(r.role), "list", r.list.Address.String(), "ignored", "automatic mail")
		return smtpd.Reply{}, nil
	}
	return h.act(ctx, env, r, q)
}

// act carries out what the role of an address stands for.
func (h *Handler) act(ctx context.Context, env *smtpd.Envelope, r route, q question) (smtpd.Reply, error) {
	if token := tokenIn(q.subject); token != "" && r.role == roleLeave {
		err := h.Leave(ctx, token)
		if errors.Is(err, list.ErrNotMember) {
			return reply(550, 5, 7, 1, "this unsubscribe token is not known here: send an empty mail from the address that is a member, or write to "+r.list.Suffixed("owner").Wire()), nil
		}
		return smtpd.Reply{}, err
	}
	if q.author.IsNull() {
		return reply(550, 5, 7, 1, "the From field must name exactly one address"), nil
	}
	if r.role == roleConfirm && h.Moderate != nil {
		if answer, ok, err := h.Moderate(ctx, env, r.token, q.msg); ok || err != nil {
			return answer, err
		}
	}
	req := subscribe.Request{List: r.list, Address: q.author, Name: q.name, Verified: q.verified, InReplyTo: q.id, Now: env.At}
	res, err := h.Subscribe.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) {
		switch r.role {
		case roleJoin:
			return h.Subscribe.Join(tx, req)
		case roleLeave:
			return h.Subscribe.Leave(tx, req)
		default:
			return h.Subscribe.Confirm(tx, subscribe.Confirmation{Token: r.token, From: q.author, InReplyTo: q.id, Now: env.At})
		}
	})
	switch {
	case errors.Is(err, list.ErrToken):
		return reply(550, 5, 7, 1, "this confirmation is used up, too old, or was not mailed to the address you write from"), nil
	case err != nil:
		return smtpd.Reply{}, err
	case res.State == subscribe.Full:
		return reply(451, 4, 2, 2, "too many requests wait for the moderators of this list: try again later"), nil
	case res.State == subscribe.NoRoom:
		if _, err := h.Subscribe.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) { return h.Subscribe.TellNoRoom(tx, req) }); err != nil {
			return smtpd.Reply{}, err
		}
	case res.State == subscribe.Refused:
		return reply(550, 5, 7, 1, "this address may not join: write to "+r.list.Suffixed("owner").Wire()), nil
	}
	h.Log.Info(string(r.role), "list", r.list.Address.String(), "verified", q.verified, "state", string(res.State))
	return smtpd.Reply{}, nil
}

// request is command mail. An answer to a mail of ours whose Subject carries the token is a confirmation: its text is not read.
func (h *Handler) request(ctx context.Context, env *smtpd.Envelope, r route, raw []byte) (smtpd.Reply, error) {
	q, ok := h.ask(ctx, env, raw)
	if !ok {
		h.Log.Info(string(r.role), "list", r.list.Address.String(), "ignored", "automatic mail")
		return smtpd.Reply{}, nil
	}
	if token := command.Token(q.subject); token != "" {
		r.role, r.token = roleConfirm, token
		return h.act(ctx, env, r, q)
	}
	if q.unproven != nil { // joining and leaving ask back instead
		return smtpd.Reply{}, q.unproven
	}
	return smtpd.Reply{}, h.Commands.Serve(ctx, command.Question{
		List: r.list, Author: q.author, Name: q.name, Sender: env.From, Verified: q.verified,
		Subject: q.subject, Text: q.msg.Text(), Lang: langOf(q.msg.Header()), ID: q.id, Now: env.At,
	})
}

// langOf returns the one of our languages that mail programs name as the author's (RFC 3282), or "".
func langOf(h message.Header) string {
	for _, name := range []string{"Content-Language", "Accept-Language"} {
		tags := strings.FieldsFunc(strings.ToLower(h.Get(name)), func(r rune) bool { return strings.ContainsRune("-,; \t", r) })
		if len(tags) > 0 && slices.Contains(templates.Languages(), tags[0]) {
			return tags[0]
		}
	}
	return ""
}

// tokenIn finds an unsubscribe token in a Subject such as "unsubscribe TOKEN".
func tokenIn(subject string) string {
	for word := range strings.FieldsSeq(subject) {
		if len(word) == 32 && strings.Trim(word, "0123456789abcdef") == "" {
			return word
		}
	}
	return ""
}
