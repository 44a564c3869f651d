package web

import (
	"cmp"
	"net/http"
	"net/url"

	"kairan/list"
	"kairan/templates"
)

// siteTabs are the pages about the site as a whole, for its administrator, and the words that their tabs are called.
var siteTabs = []struct{ page, title string }{
	{"lists", "site-lists.title"},
	{"queue", "site-queue.title"},
	{"domains", "site-domains.title"},
	{"people", "people.title"},
	{"bans", "bans.title"},
	{"texts", "texts.title"},
	{"log", "site-log.title"},
}

// siteAdmin are the pages for the site's administrator.
func (s *site) siteAdmin(mux *routes) {
	mux.HandleFunc("GET /-/admin/{$}", s.forPeople(s.adminHome))
	mux.HandleFunc("GET /-/site/{$}", s.forAdmin(func(w http.ResponseWriter, r *http.Request, _ actor) error {
		w.Header().Set("Cache-Control", "private, no-store")
		http.Redirect(w, r, sitePath(siteTabs[0].page), http.StatusSeeOther)
		return nil
	}))
	mux.HandleFunc("GET /-/site/lists", s.forAdmin(s.siteLists))
	mux.HandleFunc("POST /-/site/lists", s.forAdmin(s.foundList))
	mux.HandleFunc("GET /-/site/list/{list}", s.forAdmin(s.aboutList(s.siteList)))
	mux.HandleFunc("POST /-/site/list/{list}/rename", s.forAdmin(s.aboutList(s.renameList)))
	mux.HandleFunc("POST /-/site/list/{list}/remove", s.forAdmin(s.aboutList(s.removeList)))
	if s.Path != nil {
		mux.HandleFunc("GET /-/site/queue", s.forAdmin(s.siteQueue))
		mux.HandleFunc("POST /-/site/queue", s.forAdmin(s.changeQueue))
	}
	if s.DNS != nil {
		mux.HandleFunc("GET /-/site/domains", s.forAdmin(s.siteDomains))
	}
	mux.HandleFunc("GET /-/site/bans", s.forAdmin(s.siteBans))
	mux.HandleFunc("POST /-/site/bans", s.forAdmin(s.changeSiteBans))
	mux.HandleFunc("GET /-/site/log", s.forAdmin(s.siteLog))
	s.sitePeople(mux)
}

// sitePath is a page about the site.
func sitePath(page string) string { return "/-/site/" + page }

// siteListPath is the page about a list as a whole.
func siteListPath(l *list.List) string { return sitePath("list/") + url.PathEscape(l.Name) }

// aboutList makes a page about the list {list} of one that knows it. A list that was closed is none.
func (s *site) aboutList(serve func(http.ResponseWriter, *http.Request, actor, *list.List) error) func(http.ResponseWriter, *http.Request, actor) error {
	return func(w http.ResponseWriter, r *http.Request, a actor) error {
		l, err := s.byName(r.Context(), r.PathValue("list"))
		if err == nil && !l.Removed.IsZero() {
			err = list.ErrNoList
		}
		if err != nil {
			return err
		}
		return serve(w, r, a, l)
	}
}

// sitePage answers with the page of a tab, or one under it, which has a title of its own in reply.Frame.
func (s *site) sitePage(w http.ResponseWriter, r *http.Request, tab string, reply templates.Reply) error {
	f := templates.FrameOf(r.Context())
	f.Private, f.Script = true, reply.Frame.Script
	f.Crumbs = []templates.Link{{Href: "/-/site/", Text: s.Templates.T(f.Lang, "site.title")}}
	for _, t := range siteTabs {
		if t.page == "queue" && s.Path == nil || t.page == "domains" && s.DNS == nil || t.page == "people" && s.Subscribe == nil {
			continue
		}
		title := s.Templates.T(f.Lang, t.title)
		if t.page == tab {
			f.Title = cmp.Or(reply.Frame.Title, title)
		}
		f.Tabs = append(f.Tabs, templates.PageLink{Href: sitePath(t.page), Text: title, Current: t.page == tab})
	}
	reply.Frame = f
	return s.Templates.Serve(w, r, reply)
}
