package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// siteLists shows all lists by address, domain after domain.
func (s *site) siteLists(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.siteListsPage(w, r, http.StatusOK, templates.NewList{Owners: a.address.String()})
}

func (s *site) siteListsPage(w http.ResponseWriter, r *http.Request, status int, form templates.NewList) error {
	lang := templates.FrameOf(r.Context()).Lang
	sifter, typed, err := sift(r)
	if err != nil {
		return err
	}
	view := templates.SiteLists{Query: typed, Form: s.fillNewList(lang, form)}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		for _, l := range slices.SortedFunc(list.All(tx), byDomain) {
			if !sifter.has(l) {
				continue
			}
			row, err := s.siteRow(tx, l, lang)
			if err != nil {
				return err
			}
			if domain := l.Address.Domain(); len(view.Domains) == 0 || view.Domains[len(view.Domains)-1].Name != domain {
				view.Domains = append(view.Domains, templates.SiteDomain{Name: domain})
			}
			d := &view.Domains[len(view.Domains)-1]
			d.Lists = append(d.Lists, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	view.Pages = sifter.pages(sitePath("lists"), typed)
	view.Find = view.Pages != nil || typed != ""
	return s.sitePage(w, r, "lists", templates.Reply{Status: status, Page: "site-lists", View: view})
}

func byDomain(x, y *list.List) int {
	return cmp.Or(strings.Compare(x.Address.Domain(), y.Address.Domain()), strings.Compare(x.Address.Local(), y.Address.Local()))
}

// siteRow is a list as the administrator sees it.
func (s *site) siteRow(tx *storage.Tx, l *list.List, lang string) (row templates.SiteList, err error) {
	row = templates.SiteList{Title: l.Title(), Address: l.Address.String(), Href: listPath(l), Page: siteListPath(l)}
	if row.Members, err = list.CountMembers(tx, l.ID, list.RoleMember); err != nil {
		return row, err
	}
	row.Held, _ = list.CountHeld(tx, l.ID, address.Address{}, false)
	for t := range archive.Recent(tx, string(l.ID)) {
		row.Last = templates.NewDate(lang, t.Last.In(s.Site.Location))
		break
	}
	if s.Site.Quotas.Of(l) != (list.Quotas{}) {
		all, err := s.Site.UsageOf(tx, l, time.Now())
		if err != nil {
			return row, err
		}
		for _, u := range all {
			if state := s.quotaState(lang, u); state != "" {
				row.States = append(row.States, s.Templates.T(lang, "quota."+string(u.Quota))+": "+state)
			}
		}
	}
	owners, err := list.CountMembers(tx, l.ID, list.RoleOwner)
	for _, state := range []struct {
		name string
		is   bool
	}{
		{"emergency", l.Settings.Emergency},
		{"orphan", owners == 0},
		{"announce", !l.Settings.AllowListPosts},
		{"private", notPublic(l)},
		{"hidden", !l.Settings.Advertised},
	} {
		if state.is {
			row.States = append(row.States, s.Templates.T(lang, "site-lists.state."+state.name))
		}
	}
	return row, err
}

// fillNewList adds to a form what can be chosen; style and language are as they were filled in.
func (s *site) fillNewList(lang string, form templates.NewList) templates.NewList {
	if form.Styles == nil {
		form.Styles = s.styles(lang, list.Styles()[0])
	}
	if form.Languages == nil {
		form.Languages = languages(s.Site.Language)
	}
	return form
}

func (s *site) styles(lang string, chosen list.Style) (all []templates.ListStyle) {
	for _, style := range list.Styles() {
		key := "style." + string(style)
		all = append(all, templates.ListStyle{
			Value: string(style), Chosen: style == chosen,
			Label: s.Templates.T(lang, "style."+string(style)), What: s.Templates.T(lang, key+".what"),
		})
	}
	return all
}

func languages(chosen string) []templates.Language {
	all := templates.LanguageNames()
	for i := range all {
		all[i].Current = all[i].Code == chosen
	}
	return all
}

// foundList makes a new list.
func (s *site) foundList(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	f, wrong := s.founding(lang, form.Get)
	var l *list.List
	newDomain := false
	if wrong == "" {
		l, newDomain, err = s.Subscribe.Found(r.Context(), f, list.Edit{By: a.address.String(), At: time.Now()})
		switch {
		case errors.Is(err, list.ErrExists):
			wrong = s.Templates.T(lang, "site-lists.taken")
		case err != nil:
			return err
		}
	}
	if wrong != "" {
		return s.siteListsPage(w, r, http.StatusUnprocessableEntity, templates.NewList{
			Address: form.Get("address"), Owners: form.Get("owners"), Wrong: wrong,
			Styles: s.styles(lang, list.Style(form.Get("style"))), Languages: languages(form.Get("language")),
		})
	}
	said := s.Templates.T(lang, "site-lists.made", "list", l.Address)
	if newDomain {
		said = s.Templates.T(lang, "site-lists.made-domain", "list", l.Address, "domain", l.Address.Domain())
	}
	return s.done(w, r, siteListPath(l), templates.Flash{Text: said})
}

// founding reads the form of a new list; wrong says why there can be none.
func (s *site) founding(lang string, get func(string) string) (f list.Founding, wrong string) {
	text := strings.TrimSpace(get("address"))
	var err error
	if f.Address, err = address.Parse(text); err != nil {
		return f, s.Templates.T(lang, "site-lists.wrong-address", "address", text)
	}
	if list.CheckAddress(f.Address) != nil {
		return f, s.Templates.T(lang, "site-lists.bad-name", "n", list.MaxLocal)
	}
	for _, field := range strings.FieldsFunc(get("owners"), func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }) {
		o, err := address.Parse(field)
		if err != nil {
			return f, s.Templates.T(lang, "site-lists.wrong-address", "address", field)
		}
		f.Owners = append(f.Owners, o)
	}
	if len(f.Owners) == 0 {
		return f, s.Templates.T(lang, "site-lists.no-owner")
	}
	f.Style = cmp.Or(list.Style(get("style")), list.Styles()[0])
	if f.Settings, err = list.StyleSettings(f.Style, get("language")); err == nil {
		err = f.Settings.Check()
	}
	if err != nil { // no form of ours says so
		return f, err.Error()
	}
	return f, ""
}

// siteList is the page about a list as a whole.
func (s *site) siteList(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	return s.siteListPage(w, r, http.StatusOK, l, templates.SiteListPage{})
}

func (s *site) siteListPage(w http.ResponseWriter, r *http.Request, status int, l *list.List, view templates.SiteListPage) error {
	lang := templates.FrameOf(r.Context()).Lang
	view.Settings, view.Log, view.Former = adminPath(l, "settings"), adminPath(l, "log"), l.Former
	view.Quotas = view.Settings + "#quotas"
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		if view.SiteList, err = s.siteRow(tx, l, lang); err == nil {
			view.Usage, err = s.usage(tx, lang, l)
		}
		return err
	})
	if err != nil {
		return err
	}
	title := templates.Frame{Title: l.Title()}
	return s.sitePage(w, r, "lists", templates.Reply{Status: status, Page: "site-list", Frame: title, View: view})
}

// renameList gives a list another address.
func (s *site) renameList(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	view := templates.SiteListPage{To: strings.TrimSpace(form.Get("to"))}
	to, err := address.Parse(view.To)
	newDomain := false
	switch {
	case err != nil:
		view.WrongTo = s.Templates.T(lang, "site-lists.wrong-address", "address", view.To)
	case list.CheckAddress(to) != nil:
		view.WrongTo = s.Templates.T(lang, "site-lists.bad-name", "n", list.MaxLocal)
	case to.Key() == l.Address.Key():
		view.WrongTo = s.Templates.T(lang, "site-lists.taken")
	default:
		newDomain, err = s.Subscribe.Rename(r.Context(), l, to, list.Edit{By: a.address.String(), At: time.Now()})
		if errors.Is(err, list.ErrExists) {
			view.WrongTo, err = s.Templates.T(lang, "site-lists.taken"), nil
		}
		if err != nil {
			return err
		}
	}
	if view.WrongTo != "" {
		return s.siteListPage(w, r, http.StatusUnprocessableEntity, l, view)
	}
	if l, err = s.byName(r.Context(), to.Key()); err != nil {
		return err
	}
	said := s.Templates.T(lang, "site-list.renamed", "to", to)
	if newDomain {
		said = s.Templates.T(lang, "site-list.renamed-domain", "to", to, "domain", to.Domain())
	}
	return s.done(w, r, siteListPath(l), templates.Flash{Text: said})
}

// removeList closes a list.
func (s *site) removeList(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	if form.Get("sure") != "yes" {
		return s.siteListPage(w, r, http.StatusUnprocessableEntity, l, templates.SiteListPage{WrongYes: s.Templates.T(lang, "site-list.not-sure")})
	}
	if err := s.Subscribe.Remove(r.Context(), l, list.Edit{By: a.address.String(), At: time.Now()}); err != nil {
		return err
	}
	return s.done(w, r, sitePath("lists"), templates.Flash{Text: s.Templates.T(lang, "site-list.removed", "list", l.Address)})
}
