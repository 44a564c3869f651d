package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kairan/archive"
	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

const (
	formAtLeast = 2 * time.Second // nobody fills in a form faster
	formAtMost  = 12 * time.Hour
	maxName     = 100 // characters
)

func joinPath(l *list.List) string { return "/-/join/" + archive.EscapeSegment(l.Name) }

// myPath is the page of a list for its member.
func myPath(l *list.List) string { return "/-/my/list/" + archive.EscapeSegment(l.Name) }

// joinBox says how the actor joins a list.
func (s *site) joinBox(tx *storage.Tx, l *list.List, a actor, lang string) templates.JoinBox {
	if !l.Removed.IsZero() {
		return templates.JoinBox{}
	}
	who := "stranger"
	if a.signedIn() {
		who = "signed-in"
	}
	policy := "open"
	if l.Settings.SubscriptionPolicy.Moderates() {
		policy = "moderated"
	}
	box := templates.JoinBox{
		Policy:  s.Templates.T(lang, "join.policy."+who+"-"+policy),
		Archive: s.Templates.T(lang, "commands.archive."+l.Settings.ArchivePolicy),
		Mail:    mailto(l.Suffixed("join")),
	}
	if room, err := s.Site.Room(tx, l); err == nil && room == 0 {
		box.Full = s.Templates.T(lang, "confirmed.no-room", "list", l.Title(), "owner", l.Suffixed("owner"))
	}
	if s.Subscribe == nil {
		return box
	}
	box.Page = joinPath(l)
	if a.signedIn() {
		box.Address, box.Addresses = a.address.String(), addressTexts(a)
		box.Press = len(l.Settings.CodeOfConduct) == 0 && len(box.Addresses) == 1
		if a.may(tx, l, list.RoleMember) {
			box.Mine = myPath(l)
		}
	}
	return box
}

// joinable returns the list {list} of a request, if one can join it.
func (s *site) joinable(r *http.Request) (*list.List, error) {
	l, err := s.byName(r.Context(), r.PathValue("list"))
	if err == nil && !l.Removed.IsZero() {
		err = list.ErrNoList
	}
	return l, err
}

// joinForm is the page where one joins. Who is signed in needs only to press, unless it is with another address (other=1).
func (s *site) joinForm(w http.ResponseWriter, r *http.Request) error {
	l, err := s.joinable(r)
	if err != nil {
		return err
	}
	return s.joinPage(w, r, l, http.StatusOK, templates.Join{Other: r.URL.Query().Get("other") == "1"})
}

// joinPage shows the form with what was entered, and what is wrong with it.
func (s *site) joinPage(w http.ResponseWriter, r *http.Request, l *list.List, status int, view templates.Join) error {
	f := templates.FrameOf(r.Context())
	a := actorOf(r.Context())
	if view.Other {
		a = actor{}
	}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		view.JoinBox = s.joinBox(tx, l, a, f.Lang)
		if view.Form == "" {
			view.Form, err = formMark(tx, l, time.Now())
		}
		return err
	})
	if err != nil {
		return err
	}
	view.List, view.ListHref, view.Description = l.Title(), listPath(l), l.Settings.Description.In(f.Lang)
	view.Announce, view.Action = !l.Settings.AllowListPosts, joinPath(l)
	view.Conduct, view.ConductPage = l.Settings.Conduct(f.Lang)
	view.HasConduct = len(l.Settings.CodeOfConduct) > 0
	f.Private, f.Title = true, s.Templates.T(f.Lang, "join.title", "list", l.Title())
	f.List = templates.ListHead{Title: l.Title(), Href: listPath(l)}
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "join", Frame: f, View: view})
}

// join is the form's button. A stranger is told no more than that a mail was sent.
func (s *site) join(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	l, err := s.joinable(r)
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	view := templates.Join{Typed: form.Get("address"), Name: cleanName(form.Get("name")), Other: form.Has("address")}
	if len(l.Settings.CodeOfConduct) > 0 && form.Get("conduct") != "yes" {
		view.WrongConduct = s.Templates.T(f.Lang, "join.must-accept")
	}
	req := subscribe.Request{List: l, Name: view.Name, Now: time.Now()}
	if a := actorOf(r.Context()); a.signedIn() && !view.Other {
		if req.Address, err = a.own(form.Get("as")); err != nil {
			return err
		}
		req.Verified, req.Proven = true, true
	} else if req.Address, err = address.Parse(strings.TrimSpace(view.Typed)); err != nil {
		view.WrongAddress = s.Templates.T(f.Lang, "login.bad-address")
	}
	if view.WrongAddress != "" || view.WrongConduct != "" {
		return s.joinPage(w, r, l, http.StatusUnprocessableEntity, view)
	}
	if req.Verified {
		return s.joinAs(w, r, req)
	}
	return s.joinAsked(w, r, req, form)
}

// joinAsked is the request of a stranger: as far as a program would not have made it, it comes to a mail that asks for a confirmation.
func (s *site) joinAsked(w http.ResponseWriter, r *http.Request, req subscribe.Request, form url.Values) error {
	f, l := templates.FrameOf(r.Context()), req.List
	asked := templates.Flash{Text: s.Templates.T(f.Lang, "join.asked", "address", req.Address)}
	if form.Get("website") != "" { // a field that people do not see
		s.Log.Info("join by a program", "list", l.Name, "ip", s.clientIP(r).String())
		return s.done(w, r, joinPath(l)+"/asked", asked)
	}
	age := time.Duration(0)
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		age, err = formAge(tx, l, form.Get("form"), req.Now)
		return err
	})
	if err != nil {
		return err
	}
	if age < formAtLeast || age > formAtMost {
		view := templates.Join{Typed: req.Address.String(), Name: req.Name, Other: true, Again: s.Templates.T(f.Lang, "join.once-more")}
		if age > 0 && age < formAtLeast {
			view.Form = form.Get("form")
		}
		return s.joinPage(w, r, l, http.StatusUnprocessableEntity, view)
	}
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	s.Log.Info("join asked", "list", l.Name, "address", req.Address.String(), "ip", s.clientIP(r).String())
	res, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) { return s.Subscribe.Join(tx, req) })
	switch {
	case err != nil:
		return err
	case res.State == subscribe.NoRoom:
		return s.noRoom(w, r, l)
	}
	return s.done(w, r, joinPath(l)+"/asked", asked)
}

// joinAs makes who is signed in a member, as far as the list lets it.
func (s *site) joinAs(w http.ResponseWriter, r *http.Request, req subscribe.Request) error {
	res, err := s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) { return s.Subscribe.Join(tx, req) })
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	said := templates.Flash{Text: s.Templates.T(f.Lang, "confirmed."+string(res.State), "list", req.List.Title())}
	switch res.State {
	case subscribe.Joined, subscribe.Already:
		return s.done(w, r, myPathAs(req.List, actorOf(r.Context()), req.Address), said)
	case subscribe.HeldState:
		return s.done(w, r, joinPath(req.List)+"/held", said)
	case subscribe.Refused:
		return denied{need: "join", list: req.List}
	case subscribe.NoRoom:
		return s.noRoom(w, r, req.List)
	}
	return s.done(w, r, listPath(req.List), said) // such as that too many wait
}

// noRoom says on the page where one joins that the list is full.
func (s *site) noRoom(w http.ResponseWriter, r *http.Request, l *list.List) error {
	return s.joinPage(w, r, l, http.StatusUnprocessableEntity, templates.Join{})
}

// joinNext says what comes next: after asking ("asked"), or while the moderators decide ("held").
func (s *site) joinNext(w http.ResponseWriter, r *http.Request) error {
	l, err := s.joinable(r)
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	view := templates.Joining{List: l.Title(), ListHref: listPath(l)}
	step := func(name string) {
		view.Steps = append(view.Steps, s.Templates.T(f.Lang, "join.step-"+name, "list", l.Title(), "address", l.Suffixed("owner")))
	}
	switch r.PathValue("next") {
	case "asked":
		step("mail")
		step("confirm")
		view.Mail = mailto(l.Suffixed("join"))
	case "held":
	default:
		return storage.ErrNotFound
	}
	if l.Settings.SubscriptionPolicy.Moderates() {
		step("moderators")
	}
	if l.Settings.SendWelcomeMessage {
		step("welcome")
	}
	step("posts")
	f.Private, f.Title = true, s.Templates.T(f.Lang, "join.next")
	f.List = templates.ListHead{Title: l.Title(), Href: listPath(l)}
	return s.Templates.Serve(w, r, templates.Reply{Page: "joining", Frame: f, View: view})
}

// formMark says when the form of a list was made, in a way that only we can write.
func formMark(tx *storage.Tx, l *list.List, now time.Time) (string, error) {
	secret, err := list.Secret(tx, list.VERPSecret)
	if err != nil {
		return "", err
	}
	at := strconv.FormatInt(now.Unix(), 10)
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("form\x00" + string(l.ID) + "\x00" + at))
	return at + "." + hex.EncodeToString(m.Sum(nil)[:16]), nil
}

// formAge returns how long ago a form was made, or 0 if we did not make it.
func formAge(tx *storage.Tx, l *list.List, mark string, now time.Time) (time.Duration, error) {
	at, _, _ := strings.Cut(mark, ".")
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return 0, nil
	}
	made := time.Unix(unix, 0)
	want, err := formMark(tx, l, made)
	if err != nil || !hmac.Equal([]byte(mark), []byte(want)) {
		return 0, err
	}
	return now.Sub(made), nil
}

// cleanName is a display name as somebody typed it, in one line and without characters that do more than stand there.
func cleanName(typed string) string {
	name := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(typed, ""))), " ")
	for utf8.RuneCountInString(name) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}
