package web

import (
	"net/http"
	"net/url"
	"strings"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// peopleShown is how many people a page has.
const peopleShown = 50

// sitePeople are the pages about people, for the site's administrator.
func (s *site) sitePeople(mux *routes) {
	if s.Subscribe == nil {
		return
	}
	mux.HandleFunc("GET /-/site/people", s.forAdmin(s.findPeople))
	person := func(pattern string, serve func(http.ResponseWriter, *http.Request, actor, *list.Person) error) {
		mux.HandleFunc(pattern, s.forAdmin(s.aboutPerson(serve)))
	}
	person("GET /-/site/person/{address}", s.sitePerson)
	person("POST /-/site/person/{address}/lists", s.changePlaces)
	person("POST /-/site/person/{address}/addresses", s.changePersonAddresses)
	person("POST /-/site/person/{address}/sessions", s.endPersonSessions)
	person("POST /-/site/person/{address}/passkeys", s.removePersonPasskey)
	person("POST /-/site/person/{address}/ban", s.banPerson)
	person("POST /-/site/person/{address}/export", s.exportPerson)
	person("GET /-/site/person/{address}/erase", s.erasePersonForm)
	person("POST /-/site/person/{address}/erase", s.erasePerson)
}

// personPath is the page about the person with an address.
func personPath(addr address.Address) string {
	return sitePath("person/") + url.PathEscape(addr.String())
}

// findPeople finds people over all lists. A whole address that is known leads to its page.
func (s *site) findPeople(w http.ResponseWriter, r *http.Request, _ actor) error {
	v := r.URL.Query()
	q := list.PersonQuery{Leaf: list.Leaf{Limit: peopleShown, After: v.Get("after"), Before: v.Get("before")}}
	if len(q.After)+len(q.Before) > storage.MaxKey/2 || q.After != "" && q.Before != "" {
		return storage.ErrNotFound
	}
	view := templates.People{Query: strings.TrimSpace(strings.ToValidUTF8(v.Get("q"), "")), Beginning: v.Get("from") == "start"}
	if len(view.Query) > 1000 {
		view.Query = ""
	}
	if view.Beginning {
		q.Prefix = view.Query
	} else {
		q.Part = view.Query
	}
	var page list.PersonPage
	var to string
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		if addr, err := address.Parse(view.Query); err == nil && addr.Domain() != "" && !v.Has("after") && !v.Has("before") {
			if found := list.FindPeople(tx, list.PersonQuery{Prefix: addr.Key(), Leaf: list.Leaf{Limit: 1}}).People; len(found) > 0 && found[0].Address.Key() == addr.Key() {
				to = personPath(found[0].Address)
				return nil
			}
		}
		page = list.FindPeople(tx, q)
		return nil
	})
	if err != nil {
		return err
	}
	if to != "" {
		w.Header().Set("Cache-Control", "private, no-store")
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	for _, p := range page.People {
		row := templates.PeopleRow{Href: personPath(p.Address), Address: p.Address.String(), Name: message.Brief(p.Name, maxSubject), Places: p.Places}
		for _, o := range p.Others {
			row.Others = append(row.Others, o.String())
		}
		view.Rows = append(view.Rows, row)
	}
	s.peopleLinks(r, &view, page)
	return s.sitePage(w, r, "people", templates.Reply{Page: "site-people", View: view})
}

// peopleLinks are the ways to the pages before and behind, and on from where a search stopped.
func (s *site) peopleLinks(r *http.Request, view *templates.People, page list.PersonPage) {
	lang := templates.FrameOf(r.Context()).Lang
	ends := keyEnds{earlier: page.Earlier, later: page.Later}
	for _, p := range page.People {
		ends.add(p.Address.Key())
	}
	view.Pages = s.keyPages(lang, sitePath("people"), r.URL.Query(), ends)
	if page.Stopped != "" {
		on := "after"
		if r.URL.Query().Has("before") {
			on = "before"
		}
		view.Stopped = &templates.MembersStopped{At: page.Stopped, GoOn: pageAt(sitePath("people"), r.URL.Query(), on, page.Stopped)}
		if !view.Beginning {
			view.Stopped.Begins = sitePath("people") + "?" + url.Values{"q": {view.Query}, "from": {"start"}}.Encode()
		}
	}
}

// aboutPerson makes a page about the person with {address} of one that knows it.
func (s *site) aboutPerson(serve func(http.ResponseWriter, *http.Request, actor, *list.Person) error) func(http.ResponseWriter, *http.Request, actor) error {
	return func(w http.ResponseWriter, r *http.Request, a actor) error {
		addr, err := address.Parse(r.PathValue("address"))
		if err != nil || addr.Domain() == "" {
			return storage.ErrNotFound
		}
		var who *list.Person
		err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
			who = list.PersonOf(tx, addr)
			return nil
		})
		if err != nil {
			return err
		}
		return serve(w, r, a, who)
	}
}
