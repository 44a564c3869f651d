package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// confirmations are the pages of the links in mails that ask for a yes.
func (s *site) confirmations(mux *routes) {
	if s.Subscribe == nil {
		return
	}
	mux.HandleFunc("GET /-/confirm/{token}", s.page(s.confirmForm))
	mux.HandleFunc("POST /-/confirm/{token}", s.page(s.confirm))
	mux.HandleFunc("GET /-/never/{token}", s.page(s.neverForm))
	mux.HandleFunc("POST /-/never/{token}", s.page(s.never))
}

// confirmForm shows what waits, and a button. Opening the link does nothing: programs that check links in mails open it too.
func (s *site) confirmForm(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	p, l, err := s.Subscribe.Waiting(r.Context(), r.PathValue("token"), time.Now())
	about := ""
	if err == nil {
		err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
			about = subscribe.Titles(tx, p, l)
			return nil
		})
	}
	if errors.Is(err, list.ErrToken) || err == nil && !slices.Contains(subscribe.Confirmable(), p.Kind()) {
		return s.usedUp(w, r)
	}
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	view := templates.Confirm{
		Title:  s.Templates.T(f.Lang, "confirm.title", "list", about),
		Text:   s.Templates.T(f.Lang, "confirm."+p.Kind(), "list", about, "address", masked(p.Address)),
		Action: r.URL.EscapedPath(),
		Button: s.Templates.T(f.Lang, "confirm.button"),
	}
	if name := subscribe.NameOf(p); name != "" {
		view.Text += " " + s.Templates.T(f.Lang, "confirm.name", "name", name)
	}
	if p.Kind() == "join" || p.Kind() == "invite" {
		if text, page := l.Settings.Conduct(f.Lang); text != "" || page != "" {
			view.Note = templates.Link{Href: cmp.Or(page, joinPath(l)), Text: s.Templates.T(f.Lang, "join.conduct-link")}
		}
	}
	if p.Kind() == subscribe.ActionCommands {
		if err := json.Unmarshal(p.Data, &view.Lines); err != nil {
			return err
		}
	}
	return s.confirmPage(w, r, http.StatusOK, view)
}

// confirm is the button: it uses the token up.
func (s *site) confirm(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	res, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		return s.Subscribe.Confirm(tx, subscribe.Confirmation{Token: r.PathValue("token"), Now: time.Now()})
	})
	if errors.Is(err, list.ErrToken) {
		return s.usedUp(w, r)
	}
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	return s.confirmPage(w, r, http.StatusOK, templates.Confirm{
		Title:    s.Templates.T(f.Lang, "confirm.title", "list", res.List.Title()),
		Text:     s.Templates.T(f.Lang, "confirmed."+string(res.State), "list", res.List.Title(), "owner", res.List.Suffixed("owner")),
		ListHref: listPath(res.List),
		List:     res.List.Title(),
	})
}

// neverForm shows whether an address gets mail that others ask for, and a button for the opposite.
func (s *site) neverForm(w http.ResponseWriter, r *http.Request) error {
	var a address.Address
	var since time.Time
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		if a, err = subscribe.NeverAddress(tx, r.PathValue("token")); err == nil {
			since = subscribe.Blocked(tx, a)
		}
		return err
	})
	if errors.Is(err, list.ErrToken) {
		return s.usedUp(w, r)
	}
	if err != nil {
		return err
	}
	return s.neverPage(w, r, a, !since.IsZero())
}

// never notes what a person wants: no such mail any more, or with other=1 again.
func (s *site) never(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	on := r.PostFormValue("other") == ""
	var a address.Address
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if a, err = subscribe.NeverAddress(tx, r.PathValue("token")); err != nil {
			return err
		}
		return subscribe.SetBlocked(tx, a, on, time.Now())
	})
	if errors.Is(err, list.ErrToken) {
		return s.usedUp(w, r)
	}
	if err != nil {
		return err
	}
	s.Log.Info("never", "on", on)
	return s.neverPage(w, r, a, on)
}

func (s *site) neverPage(w http.ResponseWriter, r *http.Request, a address.Address, on bool) error {
	f := templates.FrameOf(r.Context())
	view := templates.Confirm{Title: s.Templates.T(f.Lang, "never.title"), Action: r.URL.EscapedPath()}
	if on {
		view.Text = s.Templates.T(f.Lang, "never.on", "address", masked(a))
		view.Button, view.Other = s.Templates.T(f.Lang, "never.button"), s.Templates.T(f.Lang, "never.again")
	} else {
		view.Text = s.Templates.T(f.Lang, "never.ask", "address", masked(a))
		view.Button = s.Templates.T(f.Lang, "never.button")
	}
	return s.confirmPage(w, r, http.StatusOK, view)
}

// usedUp is the answer to a token that means nothing, or no longer.
func (s *site) usedUp(w http.ResponseWriter, r *http.Request) error {
	f := templates.FrameOf(r.Context())
	return s.confirmPage(w, r, http.StatusNotFound, templates.Confirm{
		Title: s.Templates.T(f.Lang, "confirm.bad-title"), Text: s.Templates.T(f.Lang, "confirm.bad"),
	})
}

func (s *site) confirmPage(w http.ResponseWriter, r *http.Request, status int, view templates.Confirm) error {
	f := templates.FrameOf(r.Context())
	f.Private, f.Title = true, view.Title
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "confirm", Frame: f, View: view})
}

// masked is an address as a page shows it whose link may have been passed on.
func masked(a address.Address) string { return archive.MaskText(a.String(), "") }
