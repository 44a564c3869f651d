package web

import (
	"cmp"
	"net/http"
	"net/url"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// adminTabs are the pages about a list for those who run it, as their tabs have them, and the role that each needs. A tab is called what "PAGE.title" says.
var adminTabs = []struct {
	page string
	need list.Role
}{
	{"settings", list.RoleOwner},
	{"members", list.RoleModerator},
	{"pending", list.RoleModerator},
	{"bans", list.RoleOwner},
	{"roles", list.RoleOwner},
	{"texts", list.RoleOwner},
	{"hidden", list.RoleModerator},
	{"health", list.RoleOwner},
	{"log", list.RoleOwner},
}

// adminPath is a page about a list for those who run it.
func adminPath(l *list.List, page string) string {
	return "/-/admin/" + url.PathEscape(l.Name) + "/" + page
}

// admins makes a handler of the page of a tab, for those who have its role in the list.
func (s *site) admins(page string, serve func(http.ResponseWriter, *http.Request, actor, *list.List) error) http.HandlerFunc {
	for _, tab := range adminTabs {
		if tab.page == page {
			return s.forRole(tab.need, serve)
		}
	}
	panic("no tab " + page)
}

// adminPage answers with the page of a tab, or one under it, which has a title of its own in reply.Frame.
func (s *site) adminPage(w http.ResponseWriter, r *http.Request, l *list.List, tab string, reply templates.Reply) error {
	f := templates.FrameOf(r.Context())
	f.Private, f.Title, f.Script = true, cmp.Or(reply.Frame.Title, s.Templates.T(f.Lang, tab+".title")), reply.Frame.Script
	f.List = templates.ListHead{Title: l.Title(), Href: listPath(l)}
	var err error
	if f.Tabs, err = s.tabs(r, l, tab); err != nil {
		return err
	}
	reply.Frame = f
	return s.Templates.Serve(w, r, reply)
}

// tabs are those of the list's pages that the actor may open.
func (s *site) tabs(r *http.Request, l *list.List, current string) (tabs []templates.PageLink, err error) {
	lang, a := templates.FrameOf(r.Context()).Lang, actorOf(r.Context())
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		tabs = nil
		for _, t := range adminTabs {
			if a.may(tx, l, t.need) {
				tabs = append(tabs, templates.PageLink{Href: adminPath(l, t.page), Text: s.Templates.T(lang, t.page+".title"), Current: t.page == current})
			}
		}
		return nil
	})
	return tabs, err
}
