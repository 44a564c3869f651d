package moderation

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/posting"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// Moderation brings held posts to moderators and takes their decisions. Make one with [New].
type Moderation struct {
	Options
	wake   chan struct{}
	looked looked
}

// Options are the parts a Moderation is made of. All but Subscribe are needed.
type Options struct {
	DB        *storage.DB
	Archive   *archive.Archive
	Path      *posting.Path
	Site      *list.Site
	Templates *templates.Set
	// Subscribe does what moderators decide about who joins and leaves. It may be set after New, since it knows us too.
	Subscribe *subscribe.Workflow
	Log       *slog.Logger
}

// New returns a Moderation.
func New(o Options) *Moderation {
	m := &Moderation{Options: o, wake: make(chan struct{}, 1)}
	o.Path.Waits = m.tellLeaving
	return m
}

// What a token is for: the first word of Pending.Action.
const (
	forModerator  = "moderate"
	forWithdrawal = "moderate-withdraw"
	forRecall     = "moderate-recall"
	forAuthor     = "moderate-author"
	forRequests   = "moderate-requests"
)

// tokenLife is how long a notice can be answered. What is still held is in later reminders too.
const tokenLife = 30 * 24 * time.Hour

// askLife is how long the question to a member waits; meanwhile the member is not asked again.
const askLife = list.PendingLife

// ticket is the Data of our Pendings.
type ticket struct {
	Things []string `json:"things"` // posts or requests, in the order of the notice
}

// newToken makes a token for one person and some posts or requests. Only one with an action waits for that person.
func newToken(tx *storage.Tx, action string, l *list.List, who address.Address, life time.Duration, now time.Time, things ...string) (string, error) {
	data, err := json.Marshal(ticket{Things: things})
	if err != nil {
		return "", err
	}
	return list.NewPending(tx, list.Pending{Action: action, List: l.ID, Address: who, Data: data, Created: now, Expires: now.Add(life)})
}

// purpose returns what a token is for, and the posts or requests it is for.
func purpose(p *list.Pending) (kind string, things []string, err error) {
	kind, _, _ = strings.Cut(p.Action, ":")
	var t ticket
	err = json.Unmarshal(p.Data, &t)
	return kind, t.Things, err
}

// url is the page of a token.
func (m *Moderation) url(token string) string { return m.Site.URL + "/-/held/" + token }

// moderators returns who decides about the held posts of a list: its moderators and owners, or the site's administrator where it has none.
func (m *Moderation) moderators(tx *storage.Tx, l *list.List) []*list.Member {
	var people []*list.Member
	seen := map[string]bool{}
	for _, role := range []list.Role{list.RoleModerator, list.RoleOwner} {
		for key, who := range list.Members(tx, l.ID, role, "") {
			if !seen[key] {
				people = append(people, who)
			}
			seen[key] = true
		}
	}
	if len(people) == 0 {
		people = append(people, &list.Member{List: l.ID, Address: m.Site.Admin, Language: m.Site.Language})
	}
	return people
}

// Moderates reports whether an address may decide now.
func (m *Moderation) Moderates(tx *storage.Tx, l *list.List, who address.Address) bool {
	for _, person := range m.moderators(tx, l) {
		if person.Address.Key() == who.Key() {
			return true
		}
	}
	return false
}

// language is that of mails to an address: the member's, else the list's.
func language(tx *storage.Tx, l *list.List, who address.Address) string {
	for _, role := range []list.Role{list.RoleMember, list.RoleModerator, list.RoleOwner} {
		if m, err := list.GetMember(tx, l.ID, role, who); err == nil && m.Language != "" {
			return m.Language
		}
	}
	return l.Settings.PreferredLanguage
}

// letter is one of our mails before it has words.
type letter struct {
	list    *list.List
	to      address.Address
	lang    string
	name    string // of the mail in templates
	args    map[string]string
	token   string // where an answer goes, "" for the owners
	unasked bool
	answers string // Message-ID of what it answers, or ""
}

// queue writes a mail and has it sent if the transaction is committed.
func (m *Moderation) queue(tx *storage.Tx, t letter) error {
	t.args["list"] = t.list.Title()
	t.args["owner"] = t.list.Suffixed("owner").String()
	subject, body, err := list.Write(tx, m.Templates, t.list, t.name, t.lang, t.args)
	if err != nil {
		return err
	}
	n := posting.Notice{List: t.list, To: t.to, Subject: subject, Body: body, Unasked: t.unasked, InReplyTo: t.answers}
	if t.token != "" {
		var mark string
		n.ReplyTo, mark = answerTo(t.list, t.token)
		n.Subject += mark
	}
	return m.Path.Queue(tx, n)
}

// Wake makes Run look at what a committed transaction changed. It never blocks.
func (m *Moderation) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
	m.Path.Wake()
}

// pause is how often Run looks for newly held posts.
const pause = 15 * time.Second

// Run tells, reminds and expires until ctx ends.
func (m *Moderation) Run(ctx context.Context) error {
	timer := time.NewTicker(pause)
	defer timer.Stop()
	for {
		if err := m.Round(ctx, time.Now()); err != nil && ctx.Err() == nil {
			m.Log.Error("moderation: something was not told; will retry in "+pause.String(), "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-timer.C:
		}
	}
}
