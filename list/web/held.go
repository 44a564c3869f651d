package web

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/templates"
)

// held is the page of the links in mails about held posts.
func (s *site) held(mux *routes) {
	if s.Moderation == nil {
		return
	}
	mux.HandleFunc("GET /-/held/{token}", s.page(s.heldForm))
	mux.HandleFunc("POST /-/held/{token}", s.page(s.decide))
}

// heldForm shows the posts of a token with buttons. Opening the link does nothing: programs that check links in mails open it too.
func (s *site) heldForm(w http.ResponseWriter, r *http.Request) error {
	return s.heldPage(w, r, "")
}

// decide is a button. Where somebody was faster the page says who.
func (s *site) decide(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 32<<10)
	if err := r.ParseForm(); err != nil {
		return unread(err)
	}
	word := r.PostForm.Get("word")
	if word == "" {
		return errNotUnderstood
	}
	reason := cmp.Or(r.PostForm.Get("reason"), r.PostForm.Get("text"))
	f := templates.FrameOf(r.Context())
	said, err := s.Moderation.Act(r.Context(), r.PathValue("token"), moderation.Press{ID: r.PostForm.Get("post"), Word: word, Reason: reason, Lang: f.Lang})
	if errors.Is(err, list.ErrToken) {
		return s.usedUp(w, r)
	}
	if err != nil {
		return err
	}
	return s.heldPage(w, r, said)
}

// heldPage shows what a token is for now. done is what a button did.
func (s *site) heldPage(w http.ResponseWriter, r *http.Request, done string) error {
	f := templates.FrameOf(r.Context())
	p, err := s.Moderation.Open(r.Context(), r.PathValue("token"), f.Lang, time.Now())
	switch {
	case errors.Is(err, list.ErrToken) && done != "": // the button has used it up
		return s.confirmPage(w, r, http.StatusOK, templates.Confirm{Title: s.Templates.T(f.Lang, "held.done"), Text: done})
	case errors.Is(err, list.ErrToken):
		return s.usedUp(w, r)
	case err != nil:
		return err
	}
	f.Private = true
	f.Title = s.Templates.T(f.Lang, "held.title", "list", p.List.Title())
	return s.Templates.Serve(w, r, templates.Reply{Page: "held", Frame: f, View: s.heldView(r, p, done)})
}

func (s *site) heldView(r *http.Request, p *moderation.Page, done string) templates.Held {
	f := templates.FrameOf(r.Context())
	view := templates.Held{
		List:     p.List.Title(),
		ListHref: listPath(p.List),
		Lead:     s.Templates.T(f.Lang, "held.lead-"+p.Words[0], "address", p.Who.String()),
		Done:     done,
		Action:   r.URL.EscapedPath(),
		Texts:    p.Texts,
	}
	for _, word := range p.Words {
		if word == "reject" {
			view.Reject = true
			continue
		}
		view.Words = append(view.Words, word)
	}
	for _, post := range p.Posts {
		view.Posts = append(view.Posts, heldPost(templates.NewTime(f.Lang, post.Received.In(s.Site.Location)), post))
	}
	return view
}

func heldPost(received templates.Time, p moderation.PagePost) templates.HeldPost {
	return templates.HeldPost{
		ID: p.ID, From: p.From, Subject: p.Subject, Received: received, Reasons: p.Reasons, Auth: p.Auth,
		Text: p.Text, Files: p.Files, Decided: p.Decided, Undo: p.Undo,
	}
}
