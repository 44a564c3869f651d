package moderation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Page is what the page of a token shows, in a language.
type Page struct {
	List  *list.List
	Who   address.Address // whom the token was made for
	Words []string        // the buttons that there are: accept, trust, reject, discard, ban; yes, no; withdraw; undo
	Texts []string        // names of the saved texts for a rejection
	Posts []PagePost

	insider bool
}

// PagePost is a post on such a page. Everything in it is plain text, from a stranger.
type PagePost struct {
	ID       string
	From     string
	Subject  string
	Received time.Time
	Reasons  []string
	Auth     []string // what authentication found, in sentences
	Text     string   // up to 20 KB
	Files    []string
	// Decided says who decided and how, "" while the post waits.
	Decided string
	// Undo says that what was decided can be taken back.
	Undo bool
}

// buttons are the words that go with each purpose.
var buttons = map[string][]string{
	forModerator:  {"accept", "trust", "reject", "discard", "ban"},
	forAuthor:     {"yes", "no"},
	forWithdrawal: {"withdraw"},
	forRecall:     {"undo"},
	forRequests:   {"accept", "reject", "discard"},
}

// Open returns the page of a token, or list.ErrToken. It changes nothing.
func (m *Moderation) Open(ctx context.Context, token, lang string, now time.Time) (*Page, error) {
	var page Page
	var ids []list.PostID
	var things []string
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		p, kind, l, err := m.opened(tx, token, now)
		if err != nil {
			return err
		}
		page.List, page.Who, page.Words = l, p.Address, buttons[kind]
		if page.insider = kind == forModerator || kind == forRequests; page.insider {
			page.Texts = slices.Sorted(maps.Keys(l.Settings.RejectTexts))
		}
		if _, things, err = purpose(p); err != nil || kind != forRequests {
			return err
		}
		page.Posts, err = m.pageRequests(tx, lang, l, things)
		return err
	})
	if err != nil || page.Posts != nil {
		return &page, err
	}
	for _, id := range things {
		ids = append(ids, list.PostID(id))
	}
	items, err := m.read(ctx, ids)
	if err != nil {
		return nil, err
	}
	return &page, m.DB.View(ctx, func(tx *storage.Tx) error {
		for _, id := range ids {
			p, err := list.GetPost(tx, id)
			if err != nil {
				return err
			}
			row := m.pagePost(lang, p, items, page.insider)
			u, err := undoables.Get(tx, storage.P(p.List, p.ID))
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			row.Undo = page.insider && now.Before(u.Until)
			page.Posts = append(page.Posts, row)
		}
		return nil
	})
}

// pagePost shows a held post in full, and of a decided one who decided.
func (m *Moderation) pagePost(lang string, p *list.Post, items []item, insider bool) PagePost {
	out := PagePost{ID: string(p.ID), From: m.author(lang, p), Subject: m.subject(lang, p), Received: p.Received, Reasons: m.reasons(lang, p)}
	i := slices.IndexFunc(items, func(it item) bool { return it.post.ID == p.ID })
	if i < 0 || !p.Held() {
		if insider || !p.Recallable(time.Now()) {
			out.Decided = m.decided(lang, p, insider)
		}
		return out
	}
	out.Text, out.Files = items[i].text, items[i].files
	if insider {
		out.Auth = m.authentication(lang, p.Auth)
	}
	return out
}

// opened returns what a token is for, or list.ErrToken. That of who is no moderator any more opens nothing.
func (m *Moderation) opened(tx *storage.Tx, token string, now time.Time) (*list.Pending, string, *list.List, error) {
	p, err := list.GetPending(tx, token, now)
	if err != nil {
		return nil, "", nil, err
	}
	if !Owns(p) {
		return nil, "", nil, list.ErrToken
	}
	kind, _, err := purpose(p)
	if err != nil {
		return nil, "", nil, err
	}
	l, err := list.Get(tx, p.List)
	if err == nil && (kind == forModerator || kind == forRequests) && !m.Moderates(tx, l, p.Address) {
		err = list.ErrToken
	}
	return p, kind, l, err
}

// Press is a button of a token's page.
type Press struct {
	ID     string // PagePost.ID
	Word   string // of Page.Words, or take-back
	Reason string // of a rejection: words, or the name of a saved text
	Lang   string // of the page
}

// Act does what a button says, and returns what became of the post in words. It returns list.ErrToken for what the token is not for.
func (m *Moderation) Act(ctx context.Context, token string, b Press) (said string, err error) {
	now := time.Now()
	err = m.DB.Update(ctx, func(tx *storage.Tx) error {
		p, _, _, err := m.opened(tx, token, now)
		if err != nil {
			return err
		}
		said, err = m.perform(tx, p, Order{ID: b.ID, Word: b.Word, Reason: b.Reason, By: p.Address, Lang: b.Lang, Now: now, Undo: true})
		return err
	})
	if errors.Is(err, errWord) || errors.Is(err, errNoModerator) {
		return "", list.ErrToken
	}
	if err != nil {
		return "", fmt.Errorf("moderate %s: %w", b.ID, err)
	}
	m.Wake()
	return said, nil
}
