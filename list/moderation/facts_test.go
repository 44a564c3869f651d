package moderation_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/moderation"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/templates"
)

// queue is what mod sees on the page.
func (w *world) queue(riskier bool) []moderation.Queued {
	w.t.Helper()
	q := moderation.Query{Lists: []*list.List{w.l}, By: []address.Address{address.Must("mod@people.test")}, Lang: "en", Riskier: riskier, N: 20}
	page, total, err := w.Moderation.Queue(context.Background(), q)
	if err != nil || total != len(page) {
		w.t.Fatalf("%d of %d: %v", len(page), total, err)
	}
	return page
}

func subjects(page []moderation.Queued) (all []string) {
	for _, q := range page {
		all = append(all, q.Subject)
	}
	return all
}

func TestRisk(t *testing.T) {
	t.Parallel()
	why := func(rules ...string) (v list.Verdict) {
		for _, r := range rules {
			v.Reasons = append(v.Reasons, list.Reason{Rule: r})
		}
		return v
	}
	pass := mailauth.Results{DMARC: mailauth.DMARC{Result: mailauth.Pass}}
	fail := mailauth.Results{DMARC: mailauth.DMARC{Result: mailauth.Fail}}
	// From the least to the most.
	last := -1
	for _, c := range []struct {
		what  string
		v     list.Verdict
		auth  mailauth.Results
		level string
	}{
		{"a member of a moderated list", why("member-default"), pass, "low"},
		{"a member without a subject", why("no-subject"), pass, "low"},
		{"a newcomer", why("nonmember"), pass, "some"},
		{"a newcomer without authentication", why("nonmember"), mailauth.Results{}, "some"},
		{"a newcomer whose domain denies it", why("nonmember"), fail, "high"},
		{"a member's address without proof", why("unauthenticated"), mailauth.Results{}, "high"},
		{"a member's address that is denied", why("unauthenticated"), fail, "high"},
	} {
		got := moderation.Risk(c.v, c.auth)
		if got <= last || moderation.RiskLevel(got) != c.level {
			t.Errorf("%s: %d, %s", c.what, got, moderation.RiskLevel(got))
		}
		last = got
	}
}

// Every rule that can hold a post has its weight, also that of 0.
func TestEveryRuleHasItsRisk(t *testing.T) {
	t.Parallel()
	never := []string{"loop", "no-author", "banned", "duplicate", "too-large", "automatic", "approved", "too-many-held"}
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range words.Reasons() { // of every rule, as a test of rules sees to
		if _, ok := moderation.Risks[name]; ok == slices.Contains(never, name) {
			t.Errorf("%s: has a weight: %v", name, ok)
		}
	}
}

func TestAuthenticationInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ip := netip.MustParseAddr("192.0.2.66")
	for _, c := range []struct {
		auth mailauth.Results
		want []string
	}{
		{mailauth.Results{
			SPF:   mailauth.SPF{Result: mailauth.Pass, Domain: "example.jp", IP: ip},
			DKIM:  []mailauth.Signature{{Result: mailauth.Pass, Domain: "example.jp", Aligned: true}, {Result: mailauth.Pass, Domain: "esp.test"}, {Result: mailauth.Fail, Domain: "old.test"}},
			DMARC: mailauth.DMARC{Result: mailauth.Pass, Domain: "example.jp"}, Relay: "mx.example.jp",
		}, []string{
			"DMARC: it is proven that the mail comes from example.jp.", "SPF: example.jp says that its mail may come from 192.0.2.66.",
			"DKIM: signed by example.jp, the author's domain, and unchanged since.", "DKIM: signed by esp.test, which is not the author's domain.",
			"DKIM: the signature of old.test does not fit: the mail was changed on its way, or the signature is false.", "This is what mx.example.jp found, which took the mail in before us.",
		}},
		{mailauth.Results{SPF: mailauth.SPF{Result: mailauth.SoftFail, Domain: "evil.test\u202e", IP: ip}, DMARC: mailauth.DMARC{Result: mailauth.Fail, Domain: "isp.test", Policy: "reject"}}, []string{
			"DMARC: the mail says it is from isp.test, and nothing proves it. The domain asks that such mail be refused.",
			"SPF: evil.test says that its mail should not come from 192.0.2.66.", "DKIM: the mail is not signed.",
		}},
		{mailauth.Results{}, []string{"SPF: the mail names no domain that could be asked.", "DKIM: the mail is not signed."}},
	} {
		if got := w.Moderation.Authentication("en", c.auth); !slices.Equal(got, c.want) {
			t.Errorf("%q\nwant %q", got, c.want)
		}
	}
	// Whatever a relay says, there are words for it in both languages.
	for _, r := range []mailauth.Result{"none", "pass", "fail", "softfail", "neutral", "policy", "temperror", "permerror", "<b>"} {
		for _, lang := range []string{"ja", "en"} {
			a := mailauth.Results{SPF: mailauth.SPF{Result: r, Domain: "x"}, DMARC: mailauth.DMARC{Result: r, Domain: "x", Policy: string(r)}, DKIM: slices.Repeat([]mailauth.Signature{{Result: r}}, 9)}
			for _, line := range w.Moderation.Authentication(lang, a) {
				if strings.Contains(line, "auth.") || strings.Contains(line, "{") {
					t.Errorf("%s, %s: %s", lang, r, line)
				}
			}
		}
	}
}

func TestSender(t *testing.T) {
	story(t, func(s *list.Settings) { s.DefaultMemberAction = list.Hold }, func(t *testing.T, w *world) {
		for i, word := range []string{"accept", "reject", "discard"} {
			p := w.post("ann@people.test", word+"@p.test", "Number "+word, "Text.\n", true)
			w.press([]string{"mod@people.test", "mio@people.test", "mod@people.test"}[i], word, string(p.ID))
		}
		w.post("ann@people.test", "forged@p.test", "In Ann's name", "Pay me.\n", false)
		time.Sleep(2 * time.Minute)
		w.SetMember(w.l, "ann@people.test", func(m *list.Member) { m.DeliveryStatus = list.DeliveryByBounces })
		w.post("ann@people.test", "now@p.test", "Now", "Text.\n", true)
		w.post("zed@strangers.test", "zed@s.test", "Zed", "Text.\n", true)
		said := map[string]string{}
		for _, q := range w.queue(false) {
			said[q.Subject] = strings.Join(q.Sender, "\n")
		}
		for _, want := range []string{
			"Member of janog since 2000-01-01.", "delivery is off", "janog, last 90 days: 1 accepted, 1 waiting, 2 refused.", "1 post only bears the address, without proof.",
			"Number discard: discarded by mod@people.test", "Number reject: rejected by mio@people.test",
		} {
			if !strings.Contains(said["Now"], want) {
				t.Errorf("no %q in\n%s", want, said["Now"])
			}
		}
		if !strings.Contains(said["Zed"], "Not a member of janog.") || !strings.Contains(said["Zed"], "janog, last 90 days: 0 accepted, 1 waiting, 0 refused.") {
			t.Errorf("of a stranger:\n%s", said["Zed"])
		}
		if got := subjects(w.queue(false)); !slices.Equal(got, []string{"Zed", "Now", "In Ann's name"}) {
			t.Errorf("newest first: %q", got)
		}
		if got := subjects(w.queue(true)); !slices.Equal(got, []string{"In Ann's name", "Zed", "Now"}) {
			t.Errorf("riskiest first: %q", got)
		}
	})
}

// The posts of one author are together; those that only bear the address are not among them.
func TestSameSender(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		w.post("zed@strangers.test", "1@s.test", "One", "Text.\n", true)
		w.post("zed@strangers.test", "2@s.test", "Two", "Text.\n", true)
		w.post("zed@strangers.test", "3@s.test", "Forged", "Text.\n", false)
		for _, q := range w.queue(false) {
			if want := map[string]int{"One": 2, "Two": 2, "Forged": 0}[q.Subject]; len(q.Same) != want {
				t.Errorf("%s: %d together, want %d", q.Subject, len(q.Same), want)
			}
		}
	})
}

// A claim is seen by the others, keeps nobody from deciding, and lapses.
func TestClaim(t *testing.T) {
	story(t, nil, func(t *testing.T, w *world) {
		p := w.post("zed@strangers.test", "1@s.test", "One", "Text.\n", true)
		id := string(p.ID)
		w.press("mio@people.test", "claim", id)
		if q := w.queue(false)[0]; !strings.Contains(q.Claim, "mio@people.test has been looking at it since") || q.Mine {
			t.Errorf("claim: %q %v", q.Claim, q.Mine)
		}
		if said := w.press("mod@people.test", "claim", id); !strings.Contains(said, "mio@people.test") {
			t.Errorf("claimed twice: %s", said)
		}
		w.press("mod@people.test", "release", id) // is not mod's
		if w.queue(false)[0].Claim == "" {
			t.Error("another's claim was released")
		}
		time.Sleep(11 * time.Minute)
		if q := w.queue(false)[0]; q.Claim != "" {
			t.Errorf("after its time: %q", q.Claim)
		}
		w.press("mod@people.test", "claim", id)
		if q := w.queue(false)[0]; q.Claim == "" || !q.Mine {
			t.Errorf("mod's claim: %q %v", q.Claim, q.Mine)
		}
		w.press("mod@people.test", "release", id)
		w.press("mio@people.test", "claim", id)
		if said := w.press("mod@people.test", "discard", id); !strings.Contains(said, "discarded by mod@people.test") || !strings.Contains(said, "mio@people.test has been looking") {
			t.Errorf("decided all the same: %s", said)
		}
		w.verdict("1@s.test", "discard by mod@people.test")
	})
}
