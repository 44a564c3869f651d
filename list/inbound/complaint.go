package inbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kairan/list"
	"kairan/list/bounce"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/dsn"
	"kairan/smtpd/message"
	"kairan/storage"
)

// complaint takes off its list whom a feedback report names by something that we put into the copy. One that names nobody so goes to
// the administrator; one that nobody needs to act on ends here.
func (h *Handler) complaint(ctx context.Context, env *smtpd.Envelope, report dsn.Report, raw []byte) error {
	if !bounce.Unwanted(report) {
		h.Log.Info("complaint", "ignored", report.FeedbackType)
		return nil
	}
	named := false
	err := h.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		named, err = h.complained(tx, env, report)
		return err
	})
	if err != nil {
		return fmt.Errorf("complaint: %w", err)
	}
	h.Log.Info("complaint", "named", named)
	if named || len(message.Parse(raw).Header().All("Received")) > maxHops {
		return nil
	}
	return h.Path.Forward(ctx, h.Site.Admin, slices.Concat(env.Received(h.Site.Hostname).Raw, raw))
}

// complained reports whether the complaint names a member, or one who has left already.
func (h *Handler) complained(tx *storage.Tx, env *smtpd.Envelope, report dsn.Report) (bool, error) {
	l, key, err := h.named(tx, env, report)
	if l == nil || err != nil {
		return false, err
	}
	m, err := list.MemberByKey(tx, l.ID, key)
	if errors.Is(err, list.ErrNotMember) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return true, h.Bounces.Complained(tx, l, m, env.At)
}

// named returns whose copy a report speaks of: by the envelope sender that it names, else by the unsubscribe link in the header that
// it returns. The list is nil if neither is ours. Addresses of receivers, which anybody can write, do not count.
func (h *Handler) named(tx *storage.Tx, env *smtpd.Envelope, report dsn.Report) (*list.List, string, error) {
	if l, key, err := h.bySender(tx, env, report.MailFrom); l != nil || err != nil {
		return l, key, err
	}
	for _, f := range report.Original.All("List-Unsubscribe") {
		token := tokenIn(strings.NewReplacer("/", " ", ">", " ", "%20", " ", "=", " ").Replace(f.Value()))
		id, key, _, err := list.ByToken(tx, token)
		if errors.Is(err, list.ErrNotMember) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		l, err := list.Get(tx, id)
		if errors.Is(err, list.ErrNoList) {
			return nil, "", nil
		}
		return l, key, err
	}
	return nil, "", nil
}

// bySender returns list and member of an envelope sender that a copy had within the last days.
func (h *Handler) bySender(tx *storage.Tx, env *smtpd.Envelope, sender address.Address) (*list.List, string, error) {
	if sender.IsNull() {
		return nil, "", nil
	}
	r, err := h.find(tx, sender)
	if errors.Is(err, errUnknown) || err == nil && r.role != roleBounces {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	c, err := copyOf(tx, r, env.At)
	if errors.Is(err, errNoCopy) || err == nil && c.member == "" {
		return nil, "", nil
	}
	return r.list, c.member, err
}
