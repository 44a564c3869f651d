package subscribe

import (
	"context"
	"math"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Kept is all that is kept about a person, as it is downloaded.
type Kept struct {
	Address     string           `json:"address"`   // the preferred one
	Addresses   []string         `json:"addresses"` // all
	At          time.Time        `json:"at"`
	Memberships []keptMembership `json:"memberships"`
	Posts       []keptPost       `json:"posts"` // that bear the address, forged ones too
	Sessions    []*list.Session  `json:"sessions"`
	Passkeys    []keptPasskey    `json:"passkeys,omitempty"`
	Waiting     []*list.Pending  `json:"waiting"` // requests that wait for a confirmation
	Left        []keptMembership `json:"left"`    // what can still be taken back
	Never       []keptNever      `json:"never,omitempty"`
}

// keptPasskey is a passkey without its key.
type keptPasskey struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
}

// keptNever says that an address wants no mail that others ask for.
type keptNever struct {
	Address string    `json:"address"`
	Since   time.Time `json:"since"`
}

// keptMembership is what an address is or was in a list.
type keptMembership struct {
	Address string        `json:"address"`
	List    string        `json:"list"`
	Role    list.Role     `json:"role,omitempty"`
	Member  *list.Member  `json:"member,omitempty"` // without its secret
	Bounces *list.Bounces `json:"bounces,omitempty"`
	History []list.Event  `json:"history,omitempty"`
}

// keptPost is the record of a post.
type keptPost struct {
	Author        string       `json:"author"`
	List          string       `json:"list"`
	MessageID     string       `json:"message_id"`
	Subject       string       `json:"subject"`
	Received      time.Time    `json:"received"`
	Authenticated bool         `json:"authenticated"`
	Verdict       list.Verdict `json:"verdict"`
	URL           string       `json:"url,omitempty"` // in the archive
}

// Kept finds what is kept about a person. Of posts to lists for which reads is false the subject stays away; nil reads all.
func (w *Workflow) Kept(ctx context.Context, who *list.Person, reads func(*storage.Tx, *list.List) bool) (*Kept, error) {
	var all *Kept
	err := w.DB.View(ctx, func(tx *storage.Tx) error {
		all = &Kept{Address: who.Preferred().String(), At: time.Now()}
		all.Sessions = who.Sessions(tx, all.At)
		for _, k := range who.Passkeys(tx) {
			all.Passkeys = append(all.Passkeys, keptPasskey{Name: k.Name, Created: k.Created, Used: k.Used})
		}
		for _, addr := range who.Addresses {
			if err := all.add(tx, addr); err != nil {
				return err
			}
		}
		for _, p := range slices.Backward(who.Posts(tx, time.Time{}, math.MaxInt)) {
			l, err := list.Get(tx, p.List)
			if err != nil {
				return err
			}
			row := w.keptPost(l, p)
			if reads != nil && !reads(tx, l) {
				row.Subject = ""
			}
			all.Posts = append(all.Posts, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Export is Kept for somebody else than the person: it is in the site's log.
func (w *Workflow) Export(ctx context.Context, addr address.Address, e list.Edit, reads func(*storage.Tx, *list.List) bool) (*Kept, error) {
	var who *list.Person
	err := w.DB.Update(ctx, func(tx *storage.Tx) error {
		who = list.PersonOf(tx, addr)
		return list.LogPerson(tx, who, list.Event{At: e.At, By: e.By, Word: "person.exported", Args: map[string]string{"why": e.Why}})
	})
	if err != nil {
		return nil, err
	}
	return w.Kept(ctx, who, reads)
}

// keptPost is what is kept about a post.
func (w *Workflow) keptPost(l *list.List, p *list.Post) keptPost {
	row := keptPost{
		Author: p.Author.String(), List: l.Address.String(), MessageID: p.MessageID, Subject: p.Subject, Received: p.Received,
		Authenticated: p.Auth.Author(), Verdict: p.Verdict,
	}
	if row.Verdict.By != "" && row.Verdict.By != p.Author.String() {
		row.Verdict.By = "moderator" // whose name is not the author's to keep
	}
	if p.Number != 0 {
		row.URL = w.Site.MessageURL(l, p.MessageID)
	}
	return row
}

// add notes what one of the person's addresses is in lists, was, waits for, and wants.
func (all *Kept) add(tx *storage.Tx, addr address.Address) error {
	all.Addresses = append(all.Addresses, addr.String())
	all.Waiting = append(all.Waiting, list.PendingsOf(tx, addr)...)
	rows, err := keptMemberships(tx, addr)
	if err != nil {
		return err
	}
	all.Memberships = append(all.Memberships, rows...)
	for d := range list.DeparturesOf(tx, addr, all.At) {
		l, err := list.Get(tx, d.List)
		if err != nil {
			return err
		}
		m := d.Member
		m.Token = ""
		all.Left = append(all.Left, keptMembership{Address: addr.String(), List: l.Address.String(), Member: &m})
	}
	if since := Blocked(tx, addr); !since.IsZero() {
		all.Never = append(all.Never, keptNever{Address: addr.String(), Since: since})
	}
	return nil
}

// keptMemberships is what an address is in lists, and was.
func keptMemberships(tx *storage.Tx, addr address.Address) (rows []keptMembership, err error) {
	for l := range list.All(tx) {
		row := keptMembership{Address: addr.String(), List: l.Address.String(), History: slices.Collect(list.MemberHistory(tx, l.ID, addr))}
		for i, e := range row.History {
			if e.By != "" && e.By != addr.String() {
				row.History[i].By = "somebody else"
			}
		}
		found := false
		for id, role := range list.Memberships(tx, addr) {
			if id != l.ID {
				continue
			}
			m, err := list.GetMember(tx, id, role, addr)
			if err != nil {
				return nil, err
			}
			m.Token, row.Role, row.Member = "", role, m
			if row.Bounces = nil; role == list.RoleMember {
				b, err := list.GetBounces(tx, l.ID, addr.Key())
				if err != nil {
					return nil, err
				}
				row.Bounces = &b
			}
			rows, found = append(rows, row), true
			row.History = nil // once is enough
		}
		if !found && len(row.History) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
