package posting_test

import (
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/posting"
)

// Other settings are tried on the posts that came: small and large ones, refused ones and those that a moderator has decided.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.BanList = []string{"zed@people.test"} })
	other := w.List("other", nil)
	w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	w.Join(other, list.RoleMember, "carl@people.test")
	w.Run()
	send := func(want int, to *list.List, from, subject, body string) {
		post(t, w, want, listtest.Mail{From: from, To: []string{to.Address.String()}, Raw: listtest.Post(from, to, from+subject+"@id.test", subject, body)})
	}
	send(250, l, "ann@people.test", "small", "hello\n")
	send(250, l, "bob@people.test", "large", strings.Repeat("many words in a long line\n", 8000))
	send(250, l, "carl@people.test", "stranger", "hello\n")
	send(550, l, "zed@people.test", "banned", "hello\n")
	send(250, other, "carl@people.test", "elsewhere", "hello\n")

	try := func(change func(*list.Settings)) posting.Replay {
		s := l.Settings
		change(&s)
		r, err := w.Path.Replay(t.Context(), l, s, time.Now().Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if r.Posts != 4 || r.Different != len(r.Differences) {
			t.Errorf("%d posts, %d and %d differences", r.Posts, r.Different, len(r.Differences))
		}
		return r
	}
	want := func(what string, r posting.Replay, lines ...string) {
		t.Helper()
		var got []string
		for _, d := range r.Differences {
			got = append(got, d.Post.Subject+": "+d.Was.String()+" -> "+d.Is.String())
		}
		if strings.Join(got, "\n") != strings.Join(lines, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(lines, "\n"))
		}
	}
	want("nothing", try(func(*list.Settings) {}))
	want("size", try(func(s *list.Settings) { s.MaxMessageSize = 100 }), "large: accept -> reject (too-large)")
	want("strangers", try(func(s *list.Settings) { s.DefaultNonmemberAction = list.Reject }), "stranger: hold (nonmember) -> reject (nonmember)")
	want("another list's members", try(func(s *list.Settings) { s.AcceptTheseNonmembers = []string{"@" + other.Address.String()} }),
		"stranger: hold (nonmember) -> accept")
	want("no bans", try(func(s *list.Settings) { s.BanList = nil }), "banned: reject (banned) -> hold (nonmember)")
	want("a header", try(func(s *list.Settings) {
		s.HeaderMatches = []list.HeaderMatch{{Header: "Subject", Pattern: "^small|^large", Action: list.Hold}}
	}), "small: accept -> hold (header-match)", "large: accept -> hold (header-match)")

	later, err := w.Path.Replay(t.Context(), l, list.DefaultSettings("ja"), time.Now().Add(time.Minute))
	if err != nil || later.Posts != 0 {
		t.Errorf("of posts to come: %+v, %v", later, err)
	}
}
