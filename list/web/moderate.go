package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/storage"
	"kairan/templates"
)

const (
	queuePage  = 10 // of what waits
	queueAtOne = 50 // that one form decides about
	saidLines  = 4  // of what was done, on the page after it
)

// moderate is the page of what waits in all lists that somebody moderates.
func (s *site) moderate(mux *routes) {
	if s.Moderation == nil {
		return
	}
	mux.HandleFunc("GET /-/moderate", s.forPeople(s.queue))
	mux.HandleFunc("POST /-/moderate", s.forPeople(s.decideMany))
	mux.HandleFunc("POST /-/moderate/undo", s.forPeople(s.undoMany))
}

// moderated are the lists that somebody moderates, by title; owned are those of them whose settings are theirs.
func moderated(tx *storage.Tx, a actor) (all, owned []*list.List) {
	for l := range list.All(tx) {
		if a.may(tx, l, list.RoleModerator) {
			all = append(all, l)
		}
		if a.may(tx, l, list.RoleOwner) {
			owned = append(owned, l)
		}
	}
	byTitle := func(x, y *list.List) int { return cmp.Compare(strings.ToLower(x.Title()), strings.ToLower(y.Title())) }
	slices.SortStableFunc(all, byTitle)
	slices.SortStableFunc(owned, byTitle)
	return all, owned
}

func (s *site) queue(w http.ResponseWriter, r *http.Request, a actor) error {
	if !a.moderates {
		return denied{need: list.RoleModerator}
	}
	f := templates.FrameOf(r.Context())
	page, err := pageNumber(r, 10_000)
	if err != nil {
		return err
	}
	q := moderation.Query{By: a.addresses(), Lang: f.Lang, Riskier: r.FormValue("order") == "risk", From: (page - 1) * queuePage, N: queuePage}
	var owned []*list.List
	var undoable []moderation.Undoable
	err = s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		q.Lists, owned = moderated(tx, a)
		undoable, err = s.Moderation.Undoables(tx, q.Lists, f.Lang, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	waiting, total, err := s.Moderation.Queue(r.Context(), q)
	if err != nil {
		return err
	}
	view := templates.Moderate{Action: queuePath(q.Riskier), Total: total}
	for _, risk := range []bool{false, true} {
		view.Orders = append(view.Orders, templates.PageLink{Href: queuePath(risk), Text: s.Templates.T(f.Lang, "moderate.by-"+orderWords[risk]), Current: risk == q.Riskier})
	}
	for _, u := range undoable {
		view.Decided = append(view.Decided, templates.ModerateDecided{
			Item: item(u.List, u.Order), List: u.List.Title(), ListHref: listPath(u.List), Text: u.Words,
			Until: s.Templates.T(f.Lang, "undo.until", "at", s.clock(u.Until)),
		})
	}
	together := map[moderation.Thing]bool{}
	for i, queued := range waiting {
		if len(queued.Same) > 0 && together[queued.Same[0]] { // the button that is there already would decide about the same
			queued.Same = nil
		} else if len(queued.Same) > 0 {
			together[queued.Same[0]] = true
		}
		view.Posts = append(view.Posts, s.queuedView(f.Lang, i, queued))
	}
	view.Pages = parts(total, queuePage, page, queuePath(q.Riskier))
	for _, l := range q.Lists {
		page := "members"
		if slices.ContainsFunc(owned, func(o *list.List) bool { return o.ID == l.ID }) {
			page = "settings"
		}
		view.Lists = append(view.Lists, templates.Link{Href: adminPath(l, page), Text: l.Title()})
	}
	f.Private, f.Title = true, s.Templates.T(f.Lang, "moderate.title")
	return s.Templates.Serve(w, r, templates.Reply{Page: "moderate", Frame: f, View: view})
}

// orderWords name the orders, by whether the riskiest come first.
var orderWords = map[bool]string{false: "newest", true: "riskiest"}

// queuePath is the page in one of the orders.
func queuePath(riskier bool) string {
	if riskier {
		return "/-/moderate?order=risk"
	}
	return "/-/moderate"
}

// item names something that waits to the buttons.
func item(l *list.List, order string) string { return l.Name + " " + order }

func (s *site) queuedView(lang string, i int, q moderation.Queued) templates.ModeratePost {
	row := templates.ModeratePost{
		HeldPost: heldPost(templates.NewTime(lang, q.Received.In(s.Site.Location)), q.PagePost),
		Key:      "q" + strconv.Itoa(i+1), Item: item(q.List, q.Order), IsPost: q.ID == q.Order,
		List: q.List.Title(), ListHref: listPath(q.List), Texts: q.Texts,
		Sender: q.Sender, Claim: q.Claim, Mine: q.Mine,
	}
	if q.Level != "" {
		row.Risk, row.RiskWords = q.Level, s.Templates.T(lang, "risk."+q.Level)
	}
	row.SameTexts = q.Texts
	for _, same := range q.Same[:min(len(q.Same), queueAtOne)] {
		row.Same = append(row.Same, item(same.List, same.Order))
		if same.List.ID != q.List.ID {
			row.SameTexts = nil
		}
	}
	if slices.Contains(q.Words, "ban") {
		row.Trust, row.Bans = true, q.Bans
	}
	return row
}

// decideMany is a button of that page: one word about one or several things, all in one transaction. What is decided can be taken back for a while.
func (s *site) decideMany(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	back := queuePath(r.URL.Query().Get("order") == "risk")
	lang := templates.FrameOf(r.Context()).Lang
	if len(form["item"]) == 0 {
		return s.done(w, r, back, templates.Flash{Text: s.Templates.T(lang, "moderate.nothing-chosen")})
	}
	order := moderation.Order{Word: form.Get("word"), Reason: cmp.Or(form.Get("reason"), form.Get("text")), Lang: lang, Now: time.Now(), Undo: true}
	var said []string
	err = s.eachItem(r, a, form["item"], func(tx *storage.Tx, l *list.List, i int, id string) error {
		order.ID, order.By = id, a.in(tx, l, list.RoleModerator).address
		line, err := s.Moderation.Command(tx, l, order)
		said = append(said[:i], line)
		return err
	})
	if err != nil {
		return err
	}
	s.Moderation.Wake()
	flash := templates.Flash{}
	if decides := order.Word != "claim" && order.Word != "release"; decides {
		flash.Button = s.Templates.T(lang, "undo.button")
		flash.Action = "/-/moderate/undo?" + url.Values{"item": form["item"]}.Encode()
	}
	if more := len(said) - saidLines; more > 0 {
		said = append(said[:saidLines], s.Templates.T(lang, "settings.replay-more", "n", more))
	}
	if flash.Text = strings.Join(said, "\n"); len(flash.Text)+len(flash.Action) > maxUndoFlash {
		flash.Action, flash.Button = "", "" // the page has a button for each
	}
	return s.done(w, r, back, flash)
}

// maxUndoFlash is how much of a flash its text and what it would take back may fill.
const maxUndoFlash = maxFlash - 200

// undoMany takes decisions back that were made a moment ago.
func (s *site) undoMany(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	items := slices.Concat(form["item"], r.URL.Query()["item"])
	if len(items) == 0 {
		return errNotUnderstood
	}
	done := 0
	err = s.eachItem(r, a, items, func(tx *storage.Tx, l *list.List, i int, id string) error {
		if i == 0 {
			done = 0
		}
		err := s.Moderation.Undo(tx, l, id, a.in(tx, l, list.RoleModerator).address.String(), time.Now())
		if errors.Is(err, moderation.ErrTooLate) {
			return nil
		}
		done++
		return err
	})
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	said := s.Templates.T(lang, "undo.done")
	switch {
	case done == 0:
		said = s.Templates.T(lang, "undo.too-late")
	case done < len(items):
		said = s.Templates.T(lang, "undo.partly", "done", done, "n", len(items))
	}
	return s.done(w, r, "/-/moderate", templates.Flash{Text: said})
}

// eachItem calls fn with all that the buttons name, in one transaction: all of it, or nothing where something is not the actor's.
func (s *site) eachItem(r *http.Request, a actor, items []string, fn func(tx *storage.Tx, l *list.List, i int, id string) error) error {
	if len(items) > queueAtOne {
		return errNotUnderstood
	}
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		for i, item := range items {
			name, id, _ := strings.Cut(item, " ")
			l, err := list.ByName(tx, name)
			if err == nil && !a.may(tx, l, list.RoleModerator) {
				err = denied{need: list.RoleModerator, list: l}
			}
			if err == nil {
				err = fn(tx, l, i, id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, moderation.ErrWord):
		return errNotUnderstood
	case errors.Is(err, moderation.ErrNotHere):
		return storage.ErrNotFound
	}
	return err
}
