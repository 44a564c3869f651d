package main

import (
	"net/http"
	"strings"
	"time"

	listweb "kairan/list/web"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// persona is somebody whom the demo signs its reader in as, with one press of a button.
type persona struct {
	address string
	role    string // key of its words: "demo.ROLE"
}

var personas = []persona{
	{"misaki@example.jp", "member"},
	{"kenji@example.jp", "moderator"},
	{"emma@example.com", "owner"},
	{"haruka@example.jp", "admin"},
}

// signIn is the page of the demo that signs in.
type signIn struct{ app *App }

const signInPath = "/-/demo"

// attach adds the page to those of the site.
func (p *signIn) attach(app *App) {
	p.app = app
	app.extra["GET "+signInPath] = http.HandlerFunc(p.show)
	app.extra["POST "+signInPath] = http.HandlerFunc(p.choose)
}

func (p *signIn) show(w http.ResponseWriter, r *http.Request) {
	f := templates.FrameOf(r.Context())
	t := p.app.Templates
	f.Private, f.Title = true, t.T(f.Lang, "demo.title")
	view := templates.Demo{Action: signInPath}
	for _, x := range personas {
		view.People = append(view.People, templates.DemoPerson{
			Address: x.address, Role: t.T(f.Lang, "demo."+x.role), Means: t.T(f.Lang, "demo."+x.role+"-means"),
		})
	}
	if err := t.Serve(w, r, templates.Reply{Page: "demo", Frame: f, View: view}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// choose makes a sign-in link and presses its button in the reader's place.
func (p *signIn) choose(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	as := r.PostFormValue("as")
	for _, x := range personas {
		if x.address != as {
			continue
		}
		var link string
		err := p.app.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
			link, err = listweb.NewLoginLink(tx, p.app.Site, address.Must(as), time.Now())
			return err
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		press := r.Clone(r.Context())
		press.URL.Path = strings.TrimPrefix(link, p.app.Site.URL)
		press.URL.RawPath, press.RequestURI = "", press.URL.Path
		p.app.Web.ServeHTTP(w, press)
		return
	}
	http.Error(w, "nobody in the demo has that address", http.StatusBadRequest)
}
