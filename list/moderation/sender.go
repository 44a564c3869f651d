package moderation

import (
	"errors"
	"strconv"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// How far the history of a sender goes back, and how many posts and decisions it looks at.
const (
	senderDays      = 90
	senderPosts     = 100
	senderDecisions = 3
)

// tally counts the authenticated posts of somebody in a list by what became of them.
type tally struct{ accepted, held, refused int }

// past is what the posts of an address of the last days tell.
type past struct {
	lists     map[list.ID]*tally
	unproven  int  // posts that bear the address without proof
	more      bool // there are more posts than were looked at
	decisions []*list.Post
}

// pastOf looks at the posts of an address to lists.
func pastOf(tx *storage.Tx, lists []*list.List, who address.Address, now time.Time) past {
	p, n := past{lists: map[list.ID]*tally{}}, 0
	byID := map[list.ID]bool{}
	for _, l := range lists {
		byID[l.ID] = true
	}
	for post := range list.PostsOf(tx, who) {
		if now.Sub(post.Received) > senderDays*24*time.Hour {
			break
		}
		if n++; n > senderPosts {
			p.more = true
			break
		}
		if !byID[post.List] {
			continue
		}
		p.add(post)
	}
	return p
}

func (p *past) add(post *list.Post) {
	if by := post.Verdict.By; by != "" && by != list.ByTime && by != post.Author.String() && len(p.decisions) < senderDecisions {
		p.decisions = append(p.decisions, post)
	}
	if !post.Auth.Author() {
		p.unproven++
		return
	}
	t := p.lists[post.List]
	if t == nil {
		t = &tally{}
		p.lists[post.List] = t
	}
	switch post.Verdict.Action {
	case list.Accept:
		t.accepted++
	case list.Hold:
		t.held++
	default:
		t.refused++
	}
}

// sender says in sentences what is known about an address: what it is in a list, and what became of its posts to the lists that a
// moderator moderates.
func (m *Moderation) sender(tx *storage.Tx, q Query, l *list.List, who address.Address, known map[string]past) (lines []string, err error) {
	if who.IsNull() {
		return nil, nil
	}
	lang, lists := q.Lang, q.Lists
	now := time.Now()
	if lines, err = m.standing(tx, lang, l, who); err != nil {
		return nil, err
	}
	p, ok := known[who.Key()]
	if !ok {
		p = pastOf(tx, lists, who, now)
		known[who.Key()] = p
	}
	for _, l := range lists {
		if t := p.lists[l.ID]; t != nil {
			lines = append(lines, m.Templates.T(lang, "sender.posts", "list", l.Title(), "days", senderDays, "accepted", t.accepted, "held", t.held, "refused", t.refused))
		}
	}
	if len(p.lists) == 0 {
		lines = append(lines, m.Templates.T(lang, "sender.no-posts", "days", senderDays))
	}
	if p.unproven > 0 {
		lines = append(lines, m.Templates.T(lang, "sender.unproven", "n", p.unproven))
	}
	if p.more {
		lines = append(lines, m.Templates.T(lang, "sender.more", "n", senderPosts))
	}
	for _, post := range p.decisions {
		lines = append(lines, m.Templates.T(lang, "sender.decision", "subject", m.subject(lang, post), "decided", m.decided(lang, post, true)))
	}
	return lines, nil
}

// standing says what an address is in a list, and how its mail fares.
func (m *Moderation) standing(tx *storage.Tx, lang string, l *list.List, who address.Address) (lines []string, err error) {
	member, err := list.GetMember(tx, l.ID, list.RoleMember, who)
	switch {
	case errors.Is(err, list.ErrNotMember):
		lines = append(lines, m.Templates.T(lang, "sender.no-member", "list", l.Title()))
	case err != nil:
		return nil, err
	default:
		lines = append(lines, m.Templates.T(lang, "sender.member", "list", l.Title(), "since", member.Joined.In(m.Site.Location).Format(time.DateOnly)))
	}
	if list.Has(tx, l.ID, who, list.RoleModerator, list.RoleOwner) {
		lines = append(lines, m.Templates.T(lang, "sender.runs", "list", l.Title()))
	}
	_, here := list.Match(l.Settings.BanList, who)
	if _, site := list.Match(list.SiteBanList(tx), who); here || site {
		lines = append(lines, m.Templates.T(lang, "sender.banned"))
	}
	if member == nil {
		return lines, nil
	}
	b, err := list.GetBounces(tx, l.ID, who.Key())
	switch {
	case err != nil:
		return nil, err
	case member.DeliveryStatus == list.DeliveryByBounces:
		lines = append(lines, m.Templates.T(lang, "sender.off", "n", b.Warned))
	case b.Score > 0:
		lines = append(lines, m.Templates.T(lang, "sender.bounces", "score", strconv.FormatFloat(b.Score, 'g', -1, 64), "last", b.Last.In(m.Site.Location).Format(time.DateOnly)))
	}
	return lines, nil
}
