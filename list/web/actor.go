package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// actor is who a request acts for. Every change that a page makes is recorded under its address.
type actor struct {
	// address is null for a stranger, and else the preferred one; on the pages about a list or the site it is that by which the actor may
	// be there, see [actor.in].
	address address.Address
	person  *list.Person    // with all addresses; nil for a stranger
	session string          // key of the session, "" for a stranger
	admin   bool            // of the site
	asAdmin address.Address // by which the actor is that
	// What it is in some list; admin is everything everywhere.
	moderates, owns bool
}

// addresses are all those of the actor, none for a stranger.
func (a actor) addresses() []address.Address {
	if a.person == nil {
		return nil
	}
	return a.person.Addresses
}

// addressTexts are the addresses of an actor as they are written.
func addressTexts(a actor) (texts []string) {
	for _, addr := range a.addresses() {
		texts = append(texts, addr.String())
	}
	return texts
}

// own returns the address of the actor that somebody chose: the preferred one if typed is "", else errNotUnderstood for one of somebody else.
func (a actor) own(typed string) (address.Address, error) {
	if typed == "" {
		return a.address, nil
	}
	addr, err := address.Parse(typed)
	if err != nil || !a.person.Has(addr) {
		return address.Address{}, errNotUnderstood
	}
	return a.person.As(addr), nil
}

// edit is what the actor does now.
func (a actor) edit() list.Edit { return list.Edit{By: a.address.String(), At: time.Now()} }

func (a actor) signedIn() bool { return !a.address.IsNull() }

// as returns the address of the actor that is the same as text, or else the preferred one.
func (a actor) as(text string) string {
	for _, own := range addressTexts(a) {
		if strings.EqualFold(own, text) {
			return own
		}
	}
	return a.address.String()
}

// may reports whether the actor has a role in a list. An owner moderates, and the site's administrator is everything but a member.
func (a actor) may(tx *storage.Tx, l *list.List, need list.Role) bool {
	switch {
	case !a.signedIn():
		return false
	case need == list.RoleMember:
		return a.person.Is(tx, l.ID, list.RoleMember)
	case need == list.RoleModerator:
		return a.admin || a.person.Is(tx, l.ID, list.RoleModerator, list.RoleOwner)
	}
	return a.admin || a.person.Is(tx, l.ID, list.RoleOwner)
}

// in returns the actor by the address that has a role in a list, the preferred one if that has: so a list's log names only addresses that
// its owners know. An owner moderates, and the site's administrator needs no role.
func (a actor) in(tx *storage.Tx, l *list.List, need list.Role) actor {
	as := slices.IndexFunc(a.addresses(), func(addr address.Address) bool {
		return list.Has(tx, l.ID, addr, list.RoleOwner, need)
	})
	switch {
	case as >= 0:
		a.address = a.person.Addresses[as]
	case a.admin:
		a.address = a.asAdmin
	}
	return a
}

// mayRead reports whether the actor may read the list's archive by one of its addresses.
func (a actor) mayRead(tx *storage.Tx, l *list.List) bool {
	if !a.signedIn() {
		return list.MayRead(tx, l, a.address)
	}
	return slices.ContainsFunc(a.person.Addresses, func(addr address.Address) bool { return list.MayRead(tx, l, addr) })
}

// newActor finds out what the person with an address is here.
func (s *site) newActor(tx *storage.Tx, addr address.Address, session string) actor {
	who := list.PersonOf(tx, addr)
	a := actor{address: who.Preferred(), person: who, session: session}
	if who.Has(s.Site.Admin) {
		a.admin, a.asAdmin = true, who.As(s.Site.Admin)
	}
	a.moderates, a.owns = a.admin, a.admin
	for _, addr := range who.Addresses {
		for _, role := range list.Memberships(tx, addr) {
			a.owns = a.owns || role == list.RoleOwner
			a.moderates = a.moderates || role == list.RoleOwner || role == list.RoleModerator
		}
	}
	return a
}

type actorKey struct{}

// actorOf returns who the request acts for.
func actorOf(ctx context.Context) actor {
	a, _ := ctx.Value(actorKey{}).(actor)
	return a
}

// nav are the links of the frame for who is signed in.
func (s *site) nav(a actor, lang string) (links []templates.Link) {
	if !a.signedIn() || s.Subscribe == nil {
		return nil
	}
	links = append(links, templates.Link{Href: "/-/my", Text: s.Templates.T(lang, "frame.my")})
	if a.moderates && s.Moderation != nil {
		links = append(links, templates.Link{Href: "/-/moderate", Text: s.Templates.T(lang, "frame.moderate")})
	}
	if a.owns {
		links = append(links, templates.Link{Href: "/-/admin/", Text: s.Templates.T(lang, "frame.admin")})
	}
	if a.admin {
		links = append(links, templates.Link{Href: "/-/site/", Text: s.Templates.T(lang, "frame.site")})
	}
	return links
}

// denied is returned by a page that is not for the actor. The answer says who could help.
type denied struct {
	need list.Role  // what the actor would have to be; "" for the site's administrator
	list *list.List // in which list; nil in the site
}

func (d denied) Error() string { return "not allowed" }

// forPeople makes a handler of a page for who is signed in. A stranger who asks for it signs in first and then comes back.
func (s *site) forPeople(serve func(http.ResponseWriter, *http.Request, actor) error) http.HandlerFunc {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		a := actorOf(r.Context())
		switch {
		case a.signedIn() && r.Method == http.MethodPost && !s.posts.allow(a.address.Key()):
			return errTooMany
		case a.signedIn():
			return serve(w, r, a)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			w.Header().Set("Cache-Control", "private, no-store")
			http.Redirect(w, r, loginPath(r.URL.RequestURI()), http.StatusSeeOther)
			return nil
		}
		return denied{need: list.RoleMember}
	})
}

// forRole makes a handler of a page about the list {list}, for those who have a role in it.
func (s *site) forRole(need list.Role, serve func(http.ResponseWriter, *http.Request, actor, *list.List) error) http.HandlerFunc {
	return s.forPeople(func(w http.ResponseWriter, r *http.Request, a actor) error {
		var l *list.List
		err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
			if l, err = list.ByName(tx, r.PathValue("list")); err != nil {
				return err
			}
			if !a.may(tx, l, need) {
				return denied{need: need, list: l}
			}
			a = a.in(tx, l, need)
			return nil
		})
		if err != nil {
			return err
		}
		return serve(w, r, a, l)
	})
}

// forAdmin makes a handler of a page for the site's administrator.
func (s *site) forAdmin(serve func(http.ResponseWriter, *http.Request, actor) error) http.HandlerFunc {
	return s.forPeople(func(w http.ResponseWriter, r *http.Request, a actor) error {
		if !a.admin {
			return denied{}
		}
		a.address = a.asAdmin
		return serve(w, r, a)
	})
}

// deny answers with a page that says for whom another page is, and whom to ask.
func (s *site) deny(w http.ResponseWriter, r *http.Request, d denied) {
	f := templates.FrameOf(r.Context())
	a := actorOf(r.Context())
	f.Private, f.Title = true, s.Templates.T(f.Lang, "denied.title")
	view := templates.Notice{}
	switch {
	case !a.signedIn():
		view.Text, view.SignIn = s.Templates.T(f.Lang, "denied.sign-in"), "/-/login"
	case d.list != nil:
		owner := d.list.Suffixed("owner")
		view.Text = s.Templates.T(f.Lang, "denied."+string(d.need), "list", d.list.Title(), "address", a.address)
		view.Help = templates.Link{Href: mailto(owner), Text: owner.String()}
	case d.need == list.RoleModerator:
		view.Text = s.Templates.T(f.Lang, "denied.moderates-nothing", "address", a.address)
		view.Help = templates.Link{Href: mailto(s.Site.Admin), Text: s.Site.Admin.String()}
	default:
		view.Text = s.Templates.T(f.Lang, "denied.admin", "address", a.address)
		view.Help = templates.Link{Href: mailto(s.Site.Admin), Text: s.Site.Admin.String()}
	}
	if err := s.Templates.Serve(w, r, templates.Reply{Status: http.StatusForbidden, Page: "notice", Frame: f, View: view}); err != nil {
		s.Log.Error("page", "path", loggable(r), "error", err)
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
	}
}

// loginPath is where to sign in on the way to a path of this site.
func loginPath(to string) string { return "/-/login?" + url.Values{"to": {to}}.Encode() }

// afterLogin is where to go after signing in: the path in to if it is one of this site, else the person's own page.
func afterLogin(to string) string {
	if to = local(to); to == "/" || strings.HasPrefix(to, "/-/login") {
		return "/-/my"
	}
	return to
}
