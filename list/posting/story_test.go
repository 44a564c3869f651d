package posting_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"kairan/archive"
	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/posting"
	"kairan/list/rules"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

// wait waits until the sink has that many messages in all.
func wait(t *testing.T, w *listtest.World, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Sink.Wait(ctx, n); err != nil {
		t.Fatalf("waiting for %d copies: %v; there are %d", n, err, w.Sink.Counts().Messages)
	}
}

// post sends a post and wants that reply code.
func post(t *testing.T, w *listtest.World, want int, m listtest.Mail) string {
	t.Helper()
	code, text := w.Send(m)
	if code != want {
		t.Fatalf("%s: %d %s, want %d", m.From, code, text, want)
	}
	return text
}

func fromAnn(l *list.List, id string) listtest.Mail {
	return listtest.Mail{
		From: "ann@people.test", To: []string{l.Address.String()},
		Raw: listtest.Post("Ann <ann@people.test>", l, id, "日程", "次回の日程です。\n"),
	}
}

func TestPostReachesMembersAndArchive(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.SubjectPrefix = "[janog:%05d] " })
	w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test", "a..b@carrier.test", "off@people.test", "own@people.test", "cc@people.test")
	w.SetMember(l, "off@people.test", func(m *list.Member) { m.DeliveryStatus = list.DeliveryByUser })
	w.SetMember(l, "cc@people.test", func(m *list.Member) { m.NoDuplicates = true })
	w.Run()
	m := fromAnn(l, "1@people.test")
	m.Raw = strings.Replace(m.Raw, "\nSubject:", "\nCc: cc@people.test\nSubject:", 1)
	post(t, w, 250, m)
	wait(t, w, 4)

	var got []string
	for _, m := range w.Sink.Messages() {
		got = append(got, m.To...)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a..b@carrier.test", "ann@people.test", "bob@people.test", "own@people.test"}, got); diff != "" {
		t.Error(diff)
	}
	key := dkimRecord(t, w)
	tokens := map[string]bool{}
	for _, c := range w.Sink.Messages() {
		h := message.Parse(c.Data).Header()
		if got := h.Text("Subject"); got != "[janog:00001] 日程" {
			t.Errorf("Subject %q", got)
		}
		if !regexp.MustCompile(`^janog-bounces\+[a-z2-7]{24}@lists\.kairan\.test$`).MatchString(c.From) {
			t.Errorf("MAIL FROM %s", c.From)
		}
		token := regexp.MustCompile(`<https://lists\.kairan\.test/-/u/([0-9a-f]{32})>`).FindStringSubmatch(h.Get("List-Unsubscribe"))
		if token == nil || tokens[token[1]] || h.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
			t.Errorf("List-Unsubscribe %q", h.Get("List-Unsubscribe"))
		} else {
			tokens[token[1]] = true
		}
		vs, err := dkim.VerifyWithOptions(bytes.NewReader(c.Data), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{key}, nil }})
		if err != nil || len(vs) != 1 || vs[0].Err != nil || vs[0].Domain != listtest.Domain {
			t.Errorf("DKIM: %v %+v", err, vs)
		} else if !slices.Contains(vs[0].HeaderKeys, "List-Unsubscribe-Post") && !slices.Contains(vs[0].HeaderKeys, "list-unsubscribe-post") {
			t.Errorf("h= is %v", vs[0].HeaderKeys)
		}
	}
	p := w.Posts("1@people.test")[0]
	err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
		a, err := archive.ByNumber(tx, string(l.ID), 1)
		if err == nil && (a.Post != string(p.ID) || a.Subject != "日程") {
			t.Errorf("archived: %+v", a)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// dkimRecord is the list domain's key record.
func dkimRecord(t *testing.T, w *listtest.World) (txt string) {
	t.Helper()
	err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
		k, err := list.GetDKIMKey(tx, listtest.Domain)
		txt = listtest.Record(k)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return txt
}

// Everybody gets the fate that who they are and what proves it ask for.
func TestFates(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) {
		s.UnauthenticatedAction = list.Reject
		s.UnauthenticatedExempt = []string{"exempt.test"}
	})
	w.Join(l, list.RoleMember, "ann@people.test", "carl@bare.test", "eve@exempt.test", "dora@broken.test", "sam@strict.test")
	w.Run()
	for i, tt := range []struct {
		name     string
		ip, from string
		author   string // header; the envelope's by default
		want     int
		action   list.Action
		rule     string
	}{
		{name: "member", from: "ann@people.test", want: 250, action: list.Accept},
		{name: "stranger", ip: "192.0.2.66", from: "zed@strangers.test", want: 250, action: list.Hold, rule: "nonmember"},
		{name: "forger", ip: "192.0.2.66", from: "zed@strangers.test", author: "ann@people.test", want: 550, action: list.Reject, rule: "unauthenticated"},
		{name: "forged envelope too", ip: "192.0.2.66", from: "sam@strict.test", want: 550, action: list.Reject, rule: "unauthenticated"},
		{name: "member without proof", ip: "192.0.2.77", from: "carl@bare.test", want: 550, action: list.Reject, rule: "unauthenticated"},
		{name: "exempt domain", ip: "192.0.2.88", from: "eve@exempt.test", want: 250, action: list.Accept},
		{name: "script in a trusted network", ip: "198.51.100.7", from: "carl@bare.test", want: 250, action: list.Accept},
		{name: "DNS down", from: "dora@broken.test", want: 451},
		{name: "report", from: "", author: "ann@people.test", want: 250, action: list.Discard, rule: "automatic"},
	} {
		id := fmt.Sprintf("fate%d@people.test", i)
		author := tt.author
		if author == "" {
			author = tt.from
		}
		code, text := w.Send(listtest.Mail{IP: tt.ip, From: tt.from, To: []string{l.Address.String()}, Raw: listtest.Post(author, l, id, "Hello", "Hello.\n")})
		if code != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, code, text, tt.want)
		}
		if code >= 400 && !strings.Contains(text, "https://lists.kairan.test/-/why/") {
			t.Errorf("%s: the reply names no page: %s", tt.name, text)
		}
		posts := w.Posts(id)
		if tt.action == "" {
			if len(posts) != 0 {
				t.Errorf("%s: recorded although the client comes again", tt.name)
			}
			continue
		}
		if len(posts) != 1 || posts[0].Verdict.Action != tt.action {
			t.Errorf("%s: posts %v, want one with %s", tt.name, posts, tt.action)
		} else if tt.rule != "" && (len(posts[0].Verdict.Reasons) == 0 || posts[0].Verdict.Reasons[0].Rule != tt.rule) {
			t.Errorf("%s: %s, want rule %s", tt.name, posts[0].Verdict, tt.rule)
		}
	}
}

func TestDeferredMailIsHeldInTheEnd(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "dora@broken.test")
	env := w.Envelope("dora@broken.test", l)
	raw := listtest.CRLF(listtest.Post("dora@broken.test", l, "late@broken.test", "Hello", "Hello.\n"))
	for _, tt := range []struct {
		after time.Duration
		want  list.Action
	}{{0, list.Defer}, {time.Hour, list.Defer}, {5 * time.Hour, list.Hold}} {
		e := *env
		e.At = env.At.Add(tt.after)
		vs, err := w.Path.Receive(t.Context(), &e, []*list.List{l}, raw)
		if err != nil || vs[0].Verdict.Action != tt.want {
			t.Errorf("after %s: %v %v, want %s", tt.after, vs, err, tt.want)
		}
	}
}

func TestForgeryCannotSwallowThePost(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test")
	w.Run()
	forged := fromAnn(l, "same@people.test")
	forged.IP, forged.From = "192.0.2.66", "zed@strangers.test"
	post(t, w, 250, forged) // held
	post(t, w, 250, fromAnn(l, "same@people.test"))
	wait(t, w, 1)
	post(t, w, 250, fromAnn(l, "same@people.test")) // the real one again: discarded
	var got []string
	for _, p := range w.Posts("same@people.test") {
		got = append(got, string(p.Verdict.Action))
	}
	if diff := cmp.Diff([]string{"hold", "accept", "discard"}, got); diff != "" {
		t.Error(diff)
	}
}

// A message to several lists is one post for each, under one reply.
func TestSeveralLists(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	open := w.List("open", func(s *list.Settings) { s.RequireExplicitDestination = false })
	closed := w.List("closed", func(s *list.Settings) { s.RequireExplicitDestination = false; s.DefaultNonmemberAction = list.Reject })
	w.Join(open, list.RoleMember, "ann@people.test", "bob@people.test")
	w.Run()
	m := fromAnn(open, "both@people.test")
	m.To = append(m.To, closed.Address.String())
	post(t, w, 250, m)
	wait(t, w, 3)
	told := w.Sink.Inbox("ann@people.test")
	if !slices.ContainsFunc(told, func(m smtptest.Message) bool {
		h := message.Parse(m.Data).Header()
		return m.From == "" && h.Get("Subject") == "refused" && h.Get("Auto-Submitted") == "auto-replied"
	}) {
		t.Errorf("the author was not told of the list that refused: %d mails", len(told))
	}
	got := map[list.ID]list.Action{}
	for _, p := range w.Posts("both@people.test") {
		got[p.List] = p.Verdict.Action
	}
	if diff := cmp.Diff(map[list.ID]list.Action{open.ID: list.Accept, closed.ID: list.Reject}, got); diff != "" {
		t.Error(diff)
	}
	m.To, m.Raw = []string{closed.Address.String()}, strings.Replace(m.Raw, "both@", "one@", 1)
	post(t, w, 550, m)
}

// Who leaves while the post is in the queue gets nothing.
func TestQueuedCopyOfWhoLeftIsDropped(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
	id := receive(t, w, l, "left@people.test")
	if err := w.Path.Publish(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.Update(func(tx *storage.Tx) error {
		return list.Leave(tx, l.ID, list.RoleMember, address.Must("bob@people.test"), time.Now())
	})
	w.Run()
	wait(t, w, 1)
	w.Stop()
	if got := w.Sink.Messages()[0].To; !slices.Equal(got, []string{"ann@people.test"}) {
		t.Errorf("delivered to %v", got)
	}
	if c := counts(t, w, id); c["delivered"] != 1 || c["skipped"] != 1 {
		t.Errorf("counts %v", c)
	}
}

func counts(t *testing.T, w *listtest.World, id list.PostID) (c map[string]int) {
	t.Helper()
	err := w.DB.View(context.Background(), func(tx *storage.Tx) (err error) {
		c, err = list.DeliveryCounts(tx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// receive takes a post of ann's without any running server.
func receive(t *testing.T, w *listtest.World, l *list.List, id string) list.PostID {
	t.Helper()
	return receiveRaw(t, w, l, listtest.Post("Ann <ann@people.test>", l, id, "Hello", "Hello.\n"))
}

func receiveRaw(t *testing.T, w *listtest.World, l *list.List, raw string) list.PostID {
	t.Helper()
	vs, err := w.Path.Receive(t.Context(), w.Envelope("ann@people.test", l), []*list.List{l}, listtest.CRLF(raw))
	if err != nil || vs[0].Verdict.Action != list.Accept {
		t.Fatalf("receive: %v %v", vs, err)
	}
	return vs[0].ID
}

// After a crash behind any stage there is one number, one archive entry, and every recipient once, in a digest too.
func TestCrashAfterEachStage(t *testing.T) {
	t.Parallel()
	for _, stage := range append([]string{"receive"}, posting.Stages...) {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			w := listtest.New(t, nil)
			l := w.List("janog", nil)
			var people []string
			for i := range 250 {
				people = append(people, fmt.Sprintf("m%03d@people.test", i))
			}
			w.Join(l, list.RoleMember, append(people, "ann@people.test", "digest@people.test")...)
			w.SetMember(l, "digest@people.test", func(m *list.Member) { m.DeliveryMode = list.DeliveryMIMEDigests })
			id := receive(t, w, l, "crash@people.test")
			for range 2 { // a crash of the second try too
				if stage != "receive" {
					if err := w.Path.PublishUntil(t.Context(), id, stage); err != nil {
						t.Fatal(err)
					}
				}
				w.Crash()
			}
			w.Run()
			w.Path.Wake()
			wait(t, w, 251)
			issue, err := w.Digests.Send(t.Context(), l, "operator")
			if err != nil || issue == nil || len(issue.Digest.Posts) != 1 {
				t.Fatalf("digest: %+v, %v", issue, err)
			}
			wait(t, w, 252)
			w.Stop()
			if c := w.Sink.Counts(); c.Messages != 252 || c.Distinct != 252 || c.Repeats != 0 || len(w.Sink.Inbox("digest@people.test")) != 1 {
				t.Errorf("sink: %+v", c)
			}
			if c := counts(t, w, id); !maps.Equal(c, map[string]int{"delivered": 251}) {
				t.Errorf("outcomes: %v", c)
			}
			checkOnce(t, w, l, id)
		})
	}
}

// checkOnce wants number 1, the only number given, and one archived message.
func checkOnce(t *testing.T, w *listtest.World, l *list.List, id list.PostID) {
	t.Helper()
	err := w.DB.View(context.Background(), func(tx *storage.Tx) error {
		p, err := list.GetPost(tx, id)
		if err != nil {
			return err
		}
		last, err := list.LastNumber(tx, l.ID)
		if err != nil {
			return err
		}
		if p.Number != 1 || last != 1 || p.Published.IsZero() {
			t.Errorf("number %d of %d, published %s", p.Number, last, p.Published)
		}
		if _, err := list.GetProgress(tx, id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still to publish: %v", err)
		}
		n := 0
		for range archive.InMonth(tx, string(l.ID), p.Received.Format("2006-01")) {
			n++
		}
		if n != 1 {
			t.Errorf("%d archived messages", n)
		}
		stages := map[string]int{}
		for e := range list.History(tx, id) {
			stages[e.Stage]++
		}
		want := map[string]int{"receive": 1, "authenticate": 1, "decide": 1, "record": 1, "number": 1, "cook": 1, "archive": 1, "digest": 2, "enqueue": 1}
		if diff := cmp.Diff(want, stages); diff != "" {
			t.Error(diff)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for what := range w.Archive.Check(context.Background()) {
		t.Error(what)
	}
}

func TestHeldPostGoesOutWhenAccepted(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.Emergency = true })
	w.Join(l, list.RoleMember, "ann@people.test")
	w.Run()
	post(t, w, 250, fromAnn(l, "held@people.test"))
	p := w.Posts("held@people.test")[0]
	if !p.Held() || p.Number != 0 {
		t.Fatalf("post %+v", p)
	}
	w.Update(func(tx *storage.Tx) error {
		_, err := list.Decide(tx, p.ID, list.Verdict{Action: list.Accept, By: "olga@people.test"}, time.Now())
		return err
	})
	w.Path.Wake()
	wait(t, w, 1)
	if p := w.Posts("held@people.test")[0]; p.Number != 1 || p.Verdict.By != "olga@people.test" {
		t.Errorf("post %+v", p)
	}
	err := w.DB.Update(t.Context(), func(tx *storage.Tx) error {
		_, err := list.Decide(tx, p.ID, list.Verdict{Action: list.Discard}, time.Now())
		return err
	})
	if err == nil {
		t.Error("decided twice")
	}
}

// Who sends the same refused message again and again does not fill the store, nor with a long header.
func TestRefusalsAreRecordedWithinBounds(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.DefaultNonmemberAction = list.Reject })
	long := strings.Repeat("X-Long: "+strings.Repeat("a", 900)+"\n", 100)
	raw := listtest.CRLF(long + listtest.Post("zed@people.test", l, "again@people.test", "Hello", "Hello.\n"))
	for range 55 {
		vs, err := w.Path.Receive(t.Context(), w.Envelope("zed@people.test", l), []*list.List{l}, raw)
		if err != nil || vs[0].Verdict.Action != list.Reject {
			t.Fatalf("receive: %v %v", vs, err)
		}
	}
	posts := w.Posts("again@people.test")
	if len(posts) != 50 {
		t.Errorf("%d refusals are recorded, want 50", len(posts))
	}
	w.Update(func(tx *storage.Tx) error {
		var f rules.Facts
		if err := list.PostFacts(tx, posts[0].ID, &f); err != nil || len(f.Header) != 64<<10 {
			t.Errorf("a header of %d bytes is kept, %v", len(f.Header), err)
		}
		return nil
	})
}

func TestMisbehavingReceivers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, misbehavingReceivers)
}

func misbehavingReceivers(t *testing.T) {
	w := listtest.New(t, func(m smtptest.Message) smtptest.Behaviour {
		if m.Stage != smtptest.AtRcpt {
			return smtptest.Behaviour{}
		}
		switch m.To[0] {
		case "later@people.test":
			return smtptest.Behaviour{Code: 451, Text: "4.2.2 mailbox full"}
		case "gone@people.test":
			return smtptest.Behaviour{Code: 550, Text: "5.1.1 no such user"}
		}
		return smtptest.Behaviour{}
	})
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test", "later@people.test", "gone@people.test")
	w.Run()
	id := receive(t, w, l, "mixed@people.test")
	w.Path.Wake()
	listtest.Rest(time.Second)
	if diff := cmp.Diff(map[string]int{"delivered": 1, "deferred": 1, "failed": 1}, counts(t, w, id)); diff != "" {
		t.Error(diff)
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", nil)
	w.Join(l, list.RoleMember, "ann@people.test")
	now := time.Now()
	lost, coming := list.PostID(storage.NewID(now.AddDate(0, 0, -2))).RawBlob(), list.PostID(storage.NewID(now)).RawBlob()
	if err := errors.Join(w.DB.Blobs.Create(lost, nil), w.DB.Blobs.Create(coming, nil)); err != nil {
		t.Fatal(err)
	}
	small, large := receive(t, w, l, "old@people.test"), receiveRaw(t, w, l, listtest.Post("Ann <ann@people.test>", l, "large@people.test", "議事録", strings.Repeat("長い話。\n", 6_000)))
	for _, id := range []list.PostID{small, large} {
		if err := w.Path.Publish(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
		var f rules.Facts
		if err := list.PostFacts(tx, small, &f); err != nil || f.Author.String() != "ann@people.test" || f.Member == nil {
			t.Errorf("facts %+v, %v", f, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := func(id list.PostID) bool {
		err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
			_, err := list.PostRaw(tx, w.DB.Blobs, id)
			return err
		})
		return err == nil
	}
	for _, tt := range []struct {
		days  int
		want  bool
		blobs []string
	}{{0, true, []string{coming, large.RawBlob()}}, {29, true, []string{large.RawBlob()}}, {31, false, nil}} {
		if err := w.Path.Expire(t.Context(), now.AddDate(0, 0, tt.days)); err != nil {
			t.Fatal(err)
		}
		if kept(small) != tt.want || kept(large) != tt.want {
			t.Errorf("after %d days the messages are kept: %v, %v", tt.days, kept(small), kept(large))
		}
		var blobs []string
		for name := range w.DB.Blobs.All("posts/") {
			blobs = append(blobs, name)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(tt.blobs)), blobs); diff != "" {
			t.Errorf("blobs after %d days (-want +got):\n%s", tt.days, diff)
		}
	}
	if len(w.Posts("old@people.test")) != 1 {
		t.Error("the post itself is forgotten")
	}
}
