package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kairan/archive"
	archiveweb "kairan/archive/web"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// serve answers with a page under the title.
func (s *site) serve(w http.ResponseWriter, r *http.Request, p templates.Reply) error {
	title := p.Frame.Title
	p.Frame = templates.FrameOf(r.Context())
	p.Frame.Title = title
	return s.Templates.Serve(w, r, p)
}

// home shows the lists that are advertised, and those of who is signed in.
func (s *site) home(w http.ResponseWriter, r *http.Request) error {
	f, a := templates.FrameOf(r.Context()), actorOf(r.Context())
	sifter, typed, err := sift(r)
	if err != nil {
		return err
	}
	view := templates.Home{Query: typed}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		for l := range shownTo(tx, a) {
			if !sifter.has(l) {
				continue
			}
			row := templates.ListRow{
				Title:       l.Title(),
				Href:        listPath(l),
				Address:     l.Address.String(),
				Description: l.Settings.Description.In(f.Lang),
				Private:     notPublic(l),
			}
			if mayRead(tx, l, a, f) {
				for t := range archive.Recent(tx, string(l.ID)) {
					row.Last = templates.NewDate(f.Lang, t.Last.In(s.Site.Location))
					break
				}
			}
			view.Lists = append(view.Lists, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	view.Pages = sifter.pages(r.URL.Path, typed)
	view.Find = view.Pages != nil || typed != ""
	if s.Search != nil && len(view.Lists) > 0 {
		view.Search = "/-/search"
	}
	f.Title = s.Templates.T(f.Lang, "home.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "home", Frame: f, View: view})
}

// list shows what a list is, how to take part in it, and what was written lately.
func (s *site) list(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("list")
	f := templates.FrameOf(r.Context())
	var l *list.List
	var view templates.List
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		if l, err = list.ByName(tx, name); err != nil {
			return err
		}
		view = describe(l, f.Lang)
		if !f.Static {
			view.JoinBox = s.joinBox(tx, l, actorOf(r.Context()), f.Lang)
		}
		view.ArchiveShown = mayRead(tx, l, actorOf(r.Context()), f)
		view.ArchivePrivate = notPublic(l) && !view.ArchiveShown
		if view.ArchiveShown {
			if s.Search != nil {
				view.Search = listPath(l) + "search"
			}
			view.Front = archiveweb.Front{List: s.info(l, f.Lang), Frame: f, Templates: s.Templates, Location: s.Site.Location, Now: time.Now()}.View(tx)
		}
		return nil
	})
	if err != nil {
		return err
	}
	path := listPath(l)
	if strings.HasSuffix(r.URL.Path, ".json") {
		path += "index.json"
	}
	if r.URL.EscapedPath() != path {
		if r.URL.RawQuery != "" {
			path += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", path)
		w.WriteHeader(http.StatusMovedPermanently)
		return nil
	}
	f.Title = l.Title()
	f.List = templates.ListHead{Title: l.Title(), Href: listPath(l)}
	if view.ArchiveShown {
		f.Forms = append(f.Forms, templates.Form{Type: templates.Atom, Link: templates.Link{Href: listPath(l) + "new.atom", Text: s.Templates.T(f.Lang, "form.atom")}})
	}
	f.Forms = append(f.Forms, templates.Form{Type: templates.JSON, Link: templates.Link{Href: "index.json", Text: s.Templates.T(f.Lang, "form.json")}})
	f.Private = view.ArchiveShown && notPublic(l)
	f.Noindex = notPublic(l) || l.Settings.Noindex
	return s.Templates.Serve(w, r, templates.Reply{Page: "list", Frame: f, View: view})
}

// notPublic reports whether there is an archive that not everybody may read.
func notPublic(l *list.List) bool {
	policy := l.Settings.ArchivePolicy
	return policy != list.ArchivePublic && policy != list.ArchiveNever
}

// describe fills in what is known without the archive.
func describe(l *list.List, lang string) templates.List {
	view := templates.List{
		Title:       l.Title(),
		Address:     l.Address.String(),
		Description: l.Settings.Description.In(lang),
		Announce:    !l.Settings.AllowListPosts,
		Closed:      !l.Removed.IsZero(),
	}
	if view.Closed {
		return view
	}
	view.Join = mailto(l.Suffixed("join"))
	view.Leave = mailto(l.Suffixed("leave"))
	view.Owner = mailto(l.Suffixed("owner"))
	if !view.Announce {
		view.Post = mailto(l.Address)
	}
	return view
}

// why tells the author of a held or refused post what a rule means, in every language: the link stands in an SMTP reply,
// which is read by people of whom we know nothing.
func (s *site) why(w http.ResponseWriter, r *http.Request) error {
	rule := r.PathValue("rule")
	if !slices.Contains(s.Templates.Reasons(), rule) {
		return storage.ErrNotFound
	}
	view := templates.Why{Name: rule}
	f := templates.FrameOf(r.Context())
	for _, lang := range append([]string{f.Lang}, others(f.Lang)...) {
		view.Sections = append(view.Sections, templates.Reason{
			Lang:  lang,
			Title: s.Templates.T(lang, "reason."+rule+".title"),
			Means: s.Templates.T(lang, "reason."+rule+".means"),
			Do:    s.Templates.T(lang, "reason."+rule+".do"),
		})
	}
	return s.serve(w, r, templates.Reply{Page: "why", Frame: templates.Frame{Title: s.Templates.T(f.Lang, "why.title")}, View: view})
}

func others(lang string) []string {
	var out []string
	for _, other := range templates.Languages() {
		if other != lang {
			out = append(out, other)
		}
	}
	return out
}

// leave tells how to leave a list by mail, for copies without a link of their own.
func (s *site) leave(w http.ResponseWriter, r *http.Request) error {
	l, err := s.byName(r.Context(), r.PathValue("list"))
	if err != nil {
		return err
	}
	if !l.Removed.IsZero() {
		return list.ErrNoList
	}
	f := templates.FrameOf(r.Context())
	return s.serve(w, r, templates.Reply{
		Page:  "leave",
		Frame: templates.Frame{Title: s.Templates.T(f.Lang, "leave.title", "list", l.Title())},
		View: templates.Leave{
			List: l.Title(), ListHref: listPath(l),
			Address: l.Suffixed("leave").String(), Leave: mailto(l.Suffixed("leave")),
		},
	})
}

// listPath returns the path of a list's page.
func listPath(l *list.List) string { return "/" + archive.EscapeSegment(l.Name) + "/" }

// mailto returns a link that opens a mail (RFC 6068).
func mailto(a address.Address) string { return "mailto:" + url.PathEscape(a.Wire()) }
