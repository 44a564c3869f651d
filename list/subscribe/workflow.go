package subscribe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/posting"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// Workflow holds what the steps need. All but BanList and Actions are needed.
type Workflow struct {
	DB         *storage.DB
	Site       *list.Site
	BanList    []string // of the configuration: addresses and "^patterns" that may not join any list; the site has others in the store
	Templates  *templates.Set
	Path       *posting.Path // sends
	Moderators Moderators
	// Actions are further things that wait for a confirmation, by Pending.Kind.
	Actions map[string]Action
	Log     *slog.Logger
}

// Moderators decide about requests that a list's policy gives them. When they agree they call [Workflow.Admit] or [Workflow.Release].
type Moderators interface {
	// HeldSubscription notes that somebody waits for a moderator's word. It may be called again for one that waits already.
	HeldSubscription(ctx context.Context, h Held) error
	// Room reports whether one more request may wait in a list.
	Room(tx *storage.Tx, l *list.List) bool
	// Withdraw forgets what an address waits for to do ("join" or "leave"), and reports whether it did.
	Withdraw(tx *storage.Tx, l *list.List, a address.Address, action string) (bool, error)
}

// Action is done when its Pending is confirmed, in the transaction that uses up the token.
type Action func(tx *storage.Tx, l *list.List, p *list.Pending, c Confirmation) (Result, error)

// Request is what somebody asks for.
type Request struct {
	List    *list.List
	Address address.Address // who is to join or leave
	Name    string          // display name of who joins; of a request that is not verified only kept where its page is seen before it counts
	// Mode is how who joins wants the posts; "" is regular. In a list without digests it is of no account.
	Mode list.DeliveryMode
	By   string // who brings it about, for the member's history; "" is Address
	Why  string // what By says about it, or ""
	// Verified says that the request is known to come from Address.
	Verified bool
	// Proven says of a verified request that who makes it reads the mail of Address, as one who is signed in does: no confirmation is asked for.
	Proven bool
	// Tell says whether who joins or leaves is welcomed, or told goodbye. Nil does what the list's settings say.
	Tell *bool
	// Many says that it is one of many: the owners are not told of each.
	Many      bool
	InReplyTo string // Message-ID of the mail that asked, without "<>", or ""
	Now       time.Time
}

// State is what a request has come to. Only a verified requester may be told more than Asked.
type State string

const (
	Asked       State = "asked"      // a confirmation was mailed, or would have been
	Joined      State = "joined"     // is a member now
	Left        State = "left"       // is none any more
	HeldState   State = "held"       // waits for the moderators
	Already     State = "already"    // was a member before
	NotMember   State = "not-member" // there is nothing to leave
	Refused     State = "refused"    // is banned
	Withdrawn   State = "withdrawn"  // waits for the moderators no longer
	Full        State = "full"       // too many wait for the moderators, or were invited: nothing was done, and a token still works
	NoRoom      State = "no-room"    // the list has as many members as it may: nothing was done, and a token still works
	Unwanted    State = "unwanted"   // wants no mail that others ask for
	Changed     State = "changed"    // has another address now
	Done        State = "done"       // what an Action does
	Enabled     State = "enabled"    // gets mail again
	MemberState State = "member"     // is a member, and so no nonmember
	Settled     State = "settled"    // nothing waits for an answer any more: there was one, or the time is over
	TooOften    State = "too-often"  // was mailed a moment ago, or three times today
)

// Result is what a step has done, and what is still to do after it.
type Result struct {
	State State
	List  *list.List
	Mails []posting.Notice
	Held  []Held
}

// Held is a request for the moderators.
type Held struct {
	List    *list.List
	Address address.Address
	Name    string // of who joins, or ""
	Mode    list.DeliveryMode
	Action  string           // "join" or "leave"
	told    []posting.Notice // to who asked
	pending *list.Pending    // whose token is used up afterwards; nil without one
}

// Do runs a step and sees to its result. When it returns no error everything is on disk.
func (w *Workflow) Do(ctx context.Context, step func(tx *storage.Tx) (Result, error)) (Result, error) {
	var res Result
	err := w.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		if res, err = step(tx); err != nil {
			return err
		}
		return w.queue(tx, res.Mails)
	})
	if err != nil {
		return res, err
	}
	for _, h := range res.Held {
		if err := w.hold(ctx, h); err != nil {
			return res, fmt.Errorf("hold %s of %s: %w", h.Action, h.Address, err)
		}
	}
	w.Path.Wake()
	return res, nil
}

func (w *Workflow) queue(tx *storage.Tx, mails []posting.Notice) error {
	for _, n := range mails {
		if err := w.Path.Queue(tx, n); err != nil {
			return err
		}
	}
	return nil
}

// hold tells the moderators first, and then uses up the token and tells who asked.
func (w *Workflow) hold(ctx context.Context, h Held) error {
	if err := w.Moderators.HeldSubscription(ctx, h); err != nil && !errors.Is(err, list.ErrPending) {
		return err
	}
	w.Log.Info("held", "list", h.List.Address.String(), "address", h.Address.String(), "action", h.Action)
	return w.DB.Update(ctx, func(tx *storage.Tx) error {
		if p := h.pending; p != nil {
			if err := list.WithdrawPending(tx, p.Action, p.List, p.Address); err != nil {
				return err
			}
		}
		return w.queue(tx, h.told)
	})
}

// banned reports whether an address may not join.
func (w *Workflow) banned(tx *storage.Tx, l *list.List, a address.Address) bool {
	_, always := list.Match(w.BanList, a)
	_, here := list.Match(l.Settings.BanList, a)
	_, site := list.Match(list.SiteBanList(tx), a)
	return always || here || site
}

// conduct is what a mail about joining says of the list's code of conduct; "" where there is none.
func (w *Workflow) conduct(l *list.List, lang string) string {
	if l.Settings.CodeOfConduct.In(lang) == "" {
		return ""
	}
	return w.Templates.T(lang, "join.conduct-mail", "url", w.Site.JoinURL(l)) + "\n\n"
}

// approved reports whether an address needs no moderator to join.
func approved(tx *storage.Tx, l *list.List, a address.Address) bool {
	if _, ok := list.Match(l.Settings.SubscribeAutoApproval, a); ok {
		return true
	}
	for _, entry := range l.Settings.SubscribeAutoApproval {
		name, ok := strings.CutPrefix(entry, "@")
		if !ok {
			continue
		}
		addr, err := address.Parse(name)
		if err != nil {
			continue
		}
		if other, err := list.ByAddress(tx, addr); err == nil && list.PersonOf(tx, a).Is(tx, other.ID, list.RoleMember) {
			return true
		}
	}
	return false
}
