package main

import (
	"strings"
	"testing"
	"time"

	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
)

// demoStories are the posts of both lists, and the day they end before.
func demoStories(t *testing.T) (byList map[string][]*story, today time.Time) {
	t.Helper()
	people, err := readPeople()
	if err != nil {
		t.Fatal(err)
	}
	if len(people) != 50 {
		t.Errorf("%d people, want 50", len(people))
	}
	today = time.Date(2026, 3, 1, 0, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	byList = map[string][]*story{}
	for _, c := range communities() {
		if byList[c.name], err = readThreads(c.threads, people, today); err != nil {
			t.Error(err)
		}
	}
	return byList, today
}

// TestDemoThreads reads what the community wrote: two months, ending yesterday.
func TestDemoThreads(t *testing.T) {
	t.Parallel()
	byList, today := demoStories(t)
	posts, threads, deepest := 0, 0, 0
	ids := map[string]bool{}
	for _, stories := range byList {
		for _, s := range stories {
			posts++
			if s.parent == nil {
				threads++
			} else if !s.at.After(s.parent.at) {
				t.Errorf("%s answers %s before it was written", s.id, s.parent.id)
			}
			deepest = max(deepest, len(s.chain()))
			if ids[s.id] {
				t.Errorf("the Message-ID %s is there twice", s.id)
			}
			ids[s.id] = true
			if age := today.Sub(s.at); age <= 0 || age > 61*24*time.Hour {
				t.Errorf("%s is from %s", s.id, s.at)
			}
			if h := s.at.Hour(); h > 2 && h < 6 && !strings.Contains(s.parent.subject, "障害") {
				t.Errorf("%s was written at night, %s", s.id, s.at)
			}
		}
	}
	if threads < 40 || posts < 180 || deepest < 8 {
		t.Errorf("%d threads, %d posts, %d answers deep", threads, posts, deepest)
	}
	if newest := byList["netops"][len(byList["netops"])-1]; today.Sub(newest.at) > 24*time.Hour {
		t.Errorf("the newest post is from %s", newest.at)
	}
}

// TestDemoMail writes every post as mail and reads it again.
func TestDemoMail(t *testing.T) {
	t.Parallel()
	byList, _ := demoStories(t)
	ways, files, orphans := map[string]int{}, 0, 0
	squash := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for name, stories := range byList {
		for _, s := range stories {
			ways[s.way]++
			msg := message.Parse(s.mail(name+"@lists.kairan.test", func(uint64) string { return "[x:1] " }))
			if problem := msg.Check(message.DefaultLimits); problem != "" {
				t.Errorf("%s: %s", s.id, problem)
			}
			for line := range strings.SplitSeq(string(msg.Raw()), "\r\n") {
				if strings.ContainsAny(line, "\r\n") || len(line) > 998 {
					t.Errorf("%s: line %q", s.id, line)
				}
			}
			if got := msg.Text(); squash(got) != squash(s.text) {
				t.Errorf("%s (%s): read %q, written %q", s.id, s.way, got, s.text)
			}
			base, reply := message.BaseSubject(msg.Header().Text("Subject"))
			if base == "" || reply != (s.parent != nil) {
				t.Errorf("%s: Subject %q", s.id, msg.Header().Text("Subject"))
			}
			if got := msg.Header().Text("From"); got != s.author.name+" <"+s.author.address.String()+">" {
				t.Errorf("%s: From %q", s.id, got)
			}
			if ids := message.MessageIDs(msg.Header().Get("References")); len(ids) != len(s.chain()) && !s.orphan {
				t.Errorf("%s: %d References", s.id, len(ids))
			}
			if s.orphan {
				orphans++
			}
			if s.file != "" {
				files++
				last := msg.Parts()[len(msg.Parts())-1]
				if last.Filename != s.file || string(last.Decode()) != s.content || s.content == "" {
					t.Errorf("%s: attachment %q %q, want %q %q", s.id, last.Filename, last.Decode(), s.file, s.content)
				}
			}
		}
	}
	for _, way := range []string{"utf8", "qp", "jis", "sjis", "flowed", "alt", "html"} {
		if ways[way] == 0 {
			t.Errorf("nobody writes %s", way)
		}
	}
	if files < 3 || orphans == 0 {
		t.Errorf("%d attachments, %d answers without References", files, orphans)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	t.Parallel()
	o := &outbox{}
	for range outboxCopies + 5 {
		o.add(smtptest.Message{To: []string{"ann@example.jp"}, Data: []byte("Subject: a\r\n\r\n")})
	}
	if all := o.all(); len(all) != outboxCopies || all[0].n != outboxCopies+5 {
		t.Errorf("%d copies, the newest is %d", len(all), all[0].n)
	}
	big := make([]byte, outboxBytes/4)
	for range 6 {
		o.add(smtptest.Message{To: []string{"ann@example.jp"}, Data: big})
	}
	if all := o.all(); len(all) != 4 || o.bytes > outboxBytes {
		t.Errorf("%d copies of %d bytes", len(all), o.bytes)
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	if got, want := visible([]byte("a\r\n\x1b$B\xff\x7f日\t")), "a\n\u241b$B\ufffd\ufffd日\t"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDemoHeld finds what a moderator is to see at the start, each for its reason, and no notice about it.
func TestDemoHeld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, stop := startDemo(t, dir)
	held := d.cli(t, "held", "ls")
	for _, want := range []string{"hold (nonmember) ", "hold (nonmember, header-match)", "hold (nonmember, too-many-recipients)", "midori@isp.test", "hold (unauthenticated)", "tsumugi@newcomer.test"} {
		if !strings.Contains(held, want) {
			t.Errorf("no %q waits:\n%s", want, held)
		}
	}
	if n := len(d.outbox.all()); n != 0 {
		t.Errorf("%d mails at the start", n)
	}
	d.cli(t, "held", "discard", "tsumugi@newcomer.test")
	stop()
	d, _ = startDemo(t, dir)
	if again := d.cli(t, "held", "ls"); strings.Contains(again, "tsumugi") || strings.Count(again, "\n") != strings.Count(held, "\n")-1 {
		t.Errorf("at the next start:\n%s", again)
	}
}
