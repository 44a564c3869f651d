package moderation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Decision is what somebody wants done with a held post.
type Decision struct {
	Post   list.PostID
	Action list.Action // Accept, Reject or Discard
	Reason string      // of Reject, for the author; the name of a saved text stands for it. "" gives none
	Trust  bool        // with Accept: and from now on
	Ban    bool        // with Discard: and never again
	By     string      // an address, or a tool
	Undo   bool        // it can be taken back for UndoTime, and what follows from it comes after that
}

// Outcome is what became of a Decision.
type Outcome struct {
	List *list.List
	Post *list.Post // as it is now: its Verdict says who decided
	Late bool       // the post was not held any more, and nothing was done
	// Claim is somebody else's who was looking at it.
	Claim Claim
	// Undone says why Trust or Ban was left out: "no-author", "forged", "owner" or "full"; "" when it was not.
	Undone string
}

// maxReason is the longest reason of a rejection, in bytes.
const maxReason = 4 << 10

// Decide gives a held post its final verdict and does all that follows: trusting, banning, and the mails to the author and the
// other moderators, which are sent if the transaction is committed. Call [Moderation.Wake] after the commit.
func (m *Moderation) Decide(tx *storage.Tx, d Decision, now time.Time) (Outcome, error) {
	p, err := list.GetPost(tx, d.Post)
	if err != nil {
		return Outcome{}, err
	}
	l, err := list.Get(tx, p.List)
	if err != nil {
		return Outcome{}, err
	}
	if !p.Held() {
		return Outcome{List: l, Post: p, Late: true}, nil
	}
	if !slices.Contains([]list.Action{list.Accept, list.Reject, list.Discard}, d.Action) {
		return Outcome{}, fmt.Errorf("decide post %s: %q is no decision", p.ID, d.Action)
	}
	w, err := list.GetWaiting(tx, p)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{List: l, Undone: obstacle(tx, l, p, d)}
	if out.Claim, err = dropClaim(tx, l.ID, string(p.ID), d.By, now); err != nil {
		return Outcome{}, err
	}
	if out.Post, err = list.Decide(tx, p.ID, list.Verdict{Action: d.Action, By: d.By}, now); err != nil {
		return Outcome{}, err
	}
	did := ""
	if d.Undo {
		err = m.postpone(tx, out.Post, w, d, now)
	} else {
		did, err = m.conclude(tx, l, out.Post, undoable{Decision: d, Waiting: w}, now)
	}
	if err != nil {
		return Outcome{}, err
	}
	return out, list.Log(tx, l.ID, logLine(d, p, did, now))
}

// conclude does all that follows from a decision which is not taken back. did says what was done about the author.
func (m *Moderation) conclude(tx *storage.Tx, l *list.List, p *list.Post, u undoable, now time.Time) (did string, err error) {
	d, note := u.Decision, list.Event{At: now, By: u.Decision.By}
	switch {
	case obstacle(tx, l, p, d) != "":
	case d.trusts():
		did, err = trust(tx, l, p, note)
	case d.bans():
		did, err = ban(tx, l, p, list.Edit{By: d.By, Why: list.WhyDiscarded, At: now})
	}
	if err == nil && did != "" {
		note.Stage, note.Text = "decide", did
		err = list.Note(tx, p.ID, note)
	}
	out := Outcome{List: l, Post: p}
	return did, errors.Join(err, m.tellOutcome(tx, out, u.Waiting, d), putNews(tx, out, u.Waiting, d), m.count(tx, l, d, now))
}

// count adds a decision to the numbers of the day.
func (m *Moderation) count(tx *storage.Tx, l *list.List, d Decision, now time.Time) error {
	return list.Count(tx, l.ID, now.In(m.Site.Location), func(t *list.Tally) {
		switch d.Action {
		case list.Accept:
			t.Approved++
		case list.Reject:
			t.Rejected++
		default:
			t.Discarded++
		}
	})
}

func (d Decision) trusts() bool { return d.Trust && d.Action == list.Accept }
func (d Decision) bans() bool   { return d.Ban && d.Action == list.Discard }

// obstacle says why an author is neither trusted nor banned, as Outcome.Undone has it. Whoever forges a member's address must not get the
// member banned.
func obstacle(tx *storage.Tx, l *list.List, p *list.Post, d Decision) string {
	switch {
	case !d.trusts() && !d.bans():
		return ""
	case p.Author.IsNull():
		return "no-author"
	case d.trusts() || isBanned(l, p):
		return ""
	case !p.Auth.Author() && hasPlace(tx, l, p.Author):
		return "forged"
	case list.Has(tx, l.ID, p.Author, list.RoleOwner):
		return "owner"
	case len(l.Settings.BanList) >= list.MaxBans:
		return "full"
	}
	return ""
}

// logLine is the line of the list's log about a decision; did is what was done beside it.
func logLine(d Decision, p *list.Post, did string, now time.Time) list.Event {
	e := list.Event{
		At: now, Stage: "held", Text: strings.TrimSpace(fmt.Sprintf("%s <%s> %s", d.Action, p.MessageID, did)), By: d.By,
		Word: "held." + string(d.Action), Args: map[string]string{"id": p.MessageID},
	}
	if did != "" {
		e.Word = map[list.Action]string{list.Accept: "held.accept-trust", list.Discard: "held.discard-ban"}[d.Action]
		e.Args["address"] = p.Author.String()
	}
	return e
}

// trust lets the posts of an author pass from now on, as long as they are authenticated.
func trust(tx *storage.Tx, l *list.List, p *list.Post, note list.Event) (did string, err error) {
	did = fmt.Sprintf("trusted %s from now on", p.Author)
	for _, role := range []list.Role{list.RoleMember, list.RoleNonmember} {
		who, err := list.GetMember(tx, l.ID, role, p.Author)
		if errors.Is(err, list.ErrNotMember) {
			continue
		}
		if err != nil {
			return "", err
		}
		who.ModerationAction = list.Accept
		return did, list.ChangeMember(tx, *who, note.By, note.At)
	}
	note.Stage, note.Text = "join", "as nonmember: moderation_action accept"
	note.Word = "member.trusted"
	return did, errors.Join(
		list.Join(tx, list.Member{List: l.ID, Role: list.RoleNonmember, Address: p.Author, ModerationAction: list.Accept, Joined: note.At}),
		list.NoteMember(tx, l.ID, p.Author, note),
	)
}

// ban keeps an author away.
func ban(tx *storage.Tx, l *list.List, p *list.Post, e list.Edit) (did string, err error) {
	if isBanned(l, p) {
		return "", nil
	}
	_, err = list.Ban(tx, l.ID, p.Author.String(), e)
	return fmt.Sprintf("banned %s", p.Author), err
}

func isBanned(l *list.List, p *list.Post) bool {
	_, banned := list.Match(l.Settings.BanList, p.Author)
	return banned
}

// hasPlace reports whether an address is a member, moderator or owner of a list.
func hasPlace(tx *storage.Tx, l *list.List, who address.Address) bool {
	for id, role := range list.Memberships(tx, who) {
		if id == l.ID && role != list.RoleNonmember {
			return true
		}
	}
	return false
}

// reason returns the words of a rejection for its author: the saved text of that name, or what the moderator wrote.
func reason(l *list.List, words, lang string) string {
	words = strings.TrimSpace(words)
	if text, ok := l.Settings.RejectText(words, lang); ok {
		return strings.TrimSpace(text)
	}
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, words)
	return strings.ToValidUTF8(words[:min(len(words), maxReason)], "")
}
