package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// membersPage is how many members a page has.
const membersPage = 50

// members are the pages about who is in a list. Moderators look at members and change them; owners add and remove them, too.
func (s *site) members(mux *routes) {
	if s.Subscribe == nil {
		return
	}
	mux.HandleFunc("GET /-/admin/{list}/members", s.admins("members", s.memberList))
	owner := func(pattern string, serve func(http.ResponseWriter, *http.Request, actor, *list.List) error) {
		mux.HandleFunc(pattern, s.forRole(list.RoleOwner, serve))
	}
	owner("GET /-/admin/{list}/members/export", s.exportMembers)
	owner("GET /-/admin/{list}/members/add", s.addForm)
	owner("POST /-/admin/{list}/members/add", s.beginBulk(false))
	owner("GET /-/admin/{list}/members/remove", s.removeForm)
	owner("POST /-/admin/{list}/members/remove", s.beginBulk(true))
	owner("GET /-/admin/{list}/members/bulk/{token}", s.showBulk)
	owner("POST /-/admin/{list}/members/bulk/{token}", s.carryBulk)
	owner("POST /-/admin/{list}/member/{address}/remove", s.removeMember)
	mux.HandleFunc("GET /-/admin/{list}/member/{address}", s.admins("members", s.memberForm))
	mux.HandleFunc("POST /-/admin/{list}/member/{address}", s.admins("members", s.changeMember))
}

// memberPath is the page of an address in a list.
func memberPath(l *list.List, m *list.Member) string {
	return rolePath(l, "member/"+url.PathEscape(m.Address.String()), m.Role)
}

// rolePath is a page about members, or about nonmembers.
func rolePath(l *list.List, page string, role list.Role) string {
	path := adminPath(l, page)
	if role == list.RoleNonmember {
		path += "?role=nonmember"
	}
	return path
}

// roleWords are the key of words about members, or about nonmembers: those begin with "nonmember.".
func roleWords(role list.Role, key string) string {
	if role == list.RoleNonmember {
		return "nonmember." + key
	}
	return key
}

// memberAction is the action of a member's posts as a query and a form have it.
var memberActions = []list.Action{list.NoAction, list.Accept, list.Hold, list.Reject, list.Discard}

var deliveryStatuses = []list.DeliveryStatus{list.DeliveryEnabled, list.DeliveryByUser, list.DeliveryByModerator, list.DeliveryByBounces}

// roleOf reads which of the roles that these pages are about is asked for.
func roleOf(r *http.Request) list.Role {
	if r.URL.Query().Get("role") == string(list.RoleNonmember) {
		return list.RoleNonmember
	}
	return list.RoleMember
}

// memberQuery reads whom a page is asked for. What it does not know asks for nobody in particular.
func memberQuery(r *http.Request, l *list.List) list.MemberQuery {
	v := r.URL.Query()
	q := list.MemberQuery{List: l.ID, Role: roleOf(r), Now: time.Now(), Leaf: list.Leaf{Limit: membersPage, After: v.Get("after"), Before: v.Get("before")}}
	text := strings.TrimSpace(strings.ToValidUTF8(v.Get("q"), ""))
	if len(text) > 1000 {
		text = ""
	}
	if v.Get("from") == "start" {
		q.Prefix = text
	} else {
		q.Part = text
	}
	if d := list.DeliveryStatus(v.Get("delivery")); slices.Contains(deliveryStatuses, d) {
		q.Delivery = d
	}
	if m := list.DeliveryMode(v.Get("mode")); slices.Contains(list.DeliveryModes(), m) {
		q.Mode = m
	}
	if a := list.Action(v.Get("action")); slices.Contains(memberActions, a) {
		q.Action = a
	}
	return q
}

// memberList shows a page of a list's members.
func (s *site) memberList(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	lang := templates.FrameOf(r.Context()).Lang
	q := memberQuery(r, l)
	if len(q.After)+len(q.Before) > storage.MaxKey/2 || q.After != "" && q.Before != "" {
		return storage.ErrNotFound
	}
	view := templates.Members{
		Path: adminPath(l, "members"), Role: string(q.Role), Query: q.Prefix + q.Part, Beginning: q.Prefix != "", Filters: s.memberFilters(lang, q),
		Narrowed: q.Prefix+q.Part+string(q.Delivery)+string(q.Mode)+string(q.Action) != "",
	}
	var page list.MemberPage
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		page = list.FindMembers(tx, q)
		view.Roles, view.Work = nil, nil
		if a.may(tx, l, list.RoleOwner) {
			for _, page := range []string{"add", "remove", "export"} {
				view.Work = append(view.Work, templates.Link{Href: rolePath(l, "members/"+page, q.Role), Text: s.Templates.T(lang, roleWords(q.Role, "members.work-"+page))})
			}
		}
		for _, role := range []list.Role{list.RoleMember, list.RoleNonmember} {
			n, err := list.CountMembers(tx, l.ID, role)
			if err != nil {
				return err
			}
			view.Roles = append(view.Roles, templates.PageLink{
				Href: view.Path + "?role=" + string(role), Text: s.Templates.T(lang, "members.count-"+string(role), "n", n), Current: role == q.Role,
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, m := range page.Members {
		view.Rows = append(view.Rows, templates.MemberRow{Href: memberPath(l, m), Address: m.Address.String(), Name: m.DisplayName, Badges: s.memberBadges(l, m, lang)})
	}
	s.memberLinks(r, &view, page, lang)
	return s.adminPage(w, r, l, "members", templates.Reply{Page: "members", View: view})
}

// memberLinks are the ways to the pages before and behind, and on from where a search stopped.
func (s *site) memberLinks(r *http.Request, view *templates.Members, page list.MemberPage, lang string) {
	if page.Stopped != "" {
		on := "after"
		if r.URL.Query().Has("before") {
			on = "before"
		}
		view.Stopped = &templates.MembersStopped{Looked: list.MaxLook, At: page.Stopped, GoOn: pageAt(view.Path, r.URL.Query(), on, page.Stopped)}
		if view.Query != "" && !view.Beginning {
			view.Stopped.Begins = view.Path + "?" + url.Values{"role": {view.Role}, "q": {view.Query}, "from": {"start"}}.Encode()
		}
	}
	ends := keyEnds{earlier: page.Earlier, later: page.Later}
	for _, m := range page.Members {
		ends.add(m.Address.Key())
	}
	view.Pages = s.keyPages(lang, view.Path, r.URL.Query(), ends)
}

// memberFilters are the choices of whom to show.
func (s *site) memberFilters(lang string, q list.MemberQuery) []templates.MemberFilter {
	filter := func(name, chosen string, words func(string) string, values ...string) templates.MemberFilter {
		f := templates.MemberFilter{Name: name, Label: s.Templates.T(lang, "members.filter-"+name), Choices: []templates.Choice{{Text: s.Templates.T(lang, "members.any")}}}
		for _, v := range values {
			f.Choices = append(f.Choices, templates.Choice{Value: v, Text: words(v), Chosen: v == chosen})
		}
		return f
	}
	action := filter("action", string(q.Action), func(v string) string { return s.actionWords(lang, list.Action(v)) }, texts(memberActions)...)
	if q.Role == list.RoleNonmember {
		return []templates.MemberFilter{action}
	}
	return []templates.MemberFilter{
		filter("delivery", string(q.Delivery), func(v string) string { return s.Templates.T(lang, "members.delivery."+v) }, texts(deliveryStatuses)...),
		filter("mode", string(q.Mode), func(v string) string { return s.Templates.T(lang, "member.delivery."+v) }, texts(list.DeliveryModes())...),
		action,
	}
}

// texts are values of a type of words as plain strings.
func texts[S ~string](values []S) (all []string) {
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// actionWords say what happens to posts; "" and NoAction are the list's default.
func (s *site) actionWords(lang string, a list.Action) string {
	if a == "" || a == list.NoAction {
		return s.Templates.T(lang, "members.action-default")
	}
	return s.Templates.T(lang, "setting.value."+string(a))
}

// memberBadges say in a few words what is not as usual.
func (s *site) memberBadges(l *list.List, m *list.Member, lang string) (badges []string) {
	if !m.Receives(time.Now()) {
		badges = append(badges, s.Templates.T(lang, "members.delivery."+string(m.DeliveryStatus)))
	}
	if l.Settings.DigestsEnabled && m.Mode() != list.DeliveryRegular {
		badges = append(badges, s.Templates.T(lang, "members.digest"))
	}
	if m.ModerationAction != "" {
		badges = append(badges, s.Templates.T(lang, "members.posts-are", "action", s.actionWords(lang, m.ModerationAction)))
	}
	if m.Unauthenticated {
		badges = append(badges, s.Templates.T(lang, "members.believed-badge"))
	}
	return badges
}

// memberLog is the history of an address in a list, the latest first.
func (s *site) memberLog(tx *storage.Tx, l *list.List, m *list.Member, lang string) (rows []templates.LogEvent) {
	for e := range list.MemberHistory(tx, l.ID, m.Address) {
		rows = append(rows, templates.LogEvent{
			When: templates.NewTime(lang, e.At.In(s.Site.Location)), Stage: s.Templates.T(lang, "members.stage."+e.Stage), Text: s.entry(lang, e), By: s.who(lang, e.By),
		})
	}
	slices.Reverse(rows)
	return rows
}
