package rules

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
)

var (
	ann    = address.Must("ann@example.jp")
	posted = address.Must("janog@lists.example.jp")
	passed = mailauth.Results{DMARC: mailauth.DMARC{Result: mailauth.Pass, Domain: "example.jp"}}
	failed = mailauth.Results{DMARC: mailauth.DMARC{Result: mailauth.Fail, Domain: "example.jp"}}
	absent = mailauth.Results{DMARC: mailauth.DMARC{Result: mailauth.TempError, Domain: "example.jp"}}
)

// scene is a list, a site and a post of a member that nothing speaks against.
type scene struct {
	l *list.List
	s Site
	f *Facts
}

func newScene() *scene {
	return &scene{
		l: &list.List{ID: "1", Address: posted, Name: "janog", Settings: list.DefaultSettings("ja")},
		s: Site{MaxSize: 25 << 20},
		f: &Facts{
			Header:  []byte("From: ann@example.jp\r\nTo: janog@lists.example.jp\r\nSubject: Hello\r\n\r\n"),
			Excerpt: "Good morning.\nDoes anybody know the program of the next meeting?\n",
			Size:    1000, Froms: 1, Author: ann, Sender: ann, Subject: "Hello",
			To: []address.Address{posted}, Auth: passed,
			Member: &list.Member{Role: list.RoleMember, Address: ann},
		},
	}
}

func (x *scene) stranger()            { x.f.Member = nil }
func (x *scene) set() *list.Settings  { return &x.l.Settings }
func (x *scene) header(fields string) { x.f.Header = append([]byte(fields+"\r\n"), x.f.Header...) }

var cases = []struct {
	name  string
	setup func(*scene)
	want  string // Verdict.String
}{
	{"a member posts", func(x *scene) {}, "accept"},
	{"an owner posts", func(x *scene) { x.stranger(); x.f.Owner = true }, "accept"},

	{"our List-Id", func(x *scene) { x.header("List-Id: Janog <JANOG.lists.example.jp>") }, "discard (loop)"},
	{"another list's List-Id", func(x *scene) { x.header("List-Id: <other.lists.example.jp>") }, "accept"},
	{"List-Id kept by a rename", func(x *scene) { x.set().ListID = "old.example.jp"; x.header("List-Id: <old.example.jp>") }, "discard (loop)"},
	{"X-BeenThere", func(x *scene) { x.header("X-BeenThere: Janog@lists.example.jp") }, "discard (loop)"},
	{"X-BeenThere of a former address", func(x *scene) {
		x.l.Former = []string{"old@example.jp"}
		x.header("X-BeenThere: old@example.jp")
	}, "discard (loop)"},
	{"Delivered-To", func(x *scene) { x.header("Delivered-To: <janog@lists.example.jp>") }, "discard (loop)"},
	{"Delivered-To by our relay", func(x *scene) { x.f.Auth.Relay = "mx.example.jp"; x.header("Delivered-To: janog@lists.example.jp") }, "accept"},
	{"Delivered-To in a trusted network", func(x *scene) { x.f.Trusted = true; x.header("Delivered-To: janog@lists.example.jp") }, "accept"},
	{"too many hops", func(x *scene) { x.header(strings.TrimSuffix(strings.Repeat("Received: by a.test\r\n", 101), "\r\n")) }, "reject (loop)"},

	{"no From", func(x *scene) { x.f.Froms, x.f.Author = 0, address.Address{}; x.stranger() }, "reject (no-author)"},
	{"two From", func(x *scene) { x.f.Froms, x.f.Author = 2, address.Address{} }, "reject (no-author)"},

	{"a From without an address", func(x *scene) { x.f.Author = address.Address{}; x.stranger() }, "reject (no-author)"},

	{"banned from the site", func(x *scene) { x.s.BanList = []string{"^.*@example\\.jp$"} }, "reject (banned)"},
	{"banned from the list", func(x *scene) { x.set().BanList = []string{"ANN@example.jp"} }, "reject (banned)"},
	{"banned and not authenticated", func(x *scene) { x.set().BanList = []string{"ann@example.jp"}; x.f.Auth = failed }, "discard (banned)"},
	{"banned in a trusted network", func(x *scene) {
		x.set().BanList = []string{"ann@example.jp"}
		x.f.Auth, x.f.Trusted = failed, true
	}, "reject (banned)"},
	{"banned sender", func(x *scene) {
		x.set().BanList = []string{"spam@example.com"}
		x.f.Sender = address.Must("spam@example.com")
	}, "reject (banned)"},

	{"the same again", func(x *scene) { x.f.Duplicate = "same" }, "discard (duplicate)"},
	{"the same ID, another body", func(x *scene) { x.f.Duplicate = "other" }, "hold (duplicate)"},

	{"larger than the list allows", func(x *scene) { x.f.Size = 1024<<10 + 1 }, "reject (too-large)"},
	{"as large as the list allows", func(x *scene) { x.f.Size = 1024 << 10 }, "accept"},
	{"larger than the site allows", func(x *scene) { x.s.MaxSize = 500; x.set().MaxMessageSize = 0 }, "reject (too-large)"},
	{"the site's limit is below the list's", func(x *scene) { x.s.MaxSize = 500 }, "reject (too-large)"},

	{"null sender", func(x *scene) { x.f.Sender = address.Address{} }, "discard (automatic)"},
	{"vacation", func(x *scene) { x.header("Auto-Submitted: (I am away) Auto-Replied; owner=x") }, "discard (automatic)"},
	{"Auto-Submitted: no", func(x *scene) { x.header("Auto-Submitted: no (really)") }, "accept"},
	{"a report", func(x *scene) { x.header("Content-Type: Multipart/Report; report-type=delivery-status") }, "discard (automatic)"},
	{"X-Autoreply", func(x *scene) { x.header("X-Autoreply: yes") }, "discard (automatic)"},
	{"a monitor's mail", func(x *scene) { x.header("Auto-Submitted: auto-generated") }, "hold (looks-automatic)"},
	{"Precedence: bulk", func(x *scene) { x.header("Precedence: Bulk") }, "hold (looks-automatic)"},
	{"Precedence: bulk of a list", func(x *scene) { x.header("List-Id: <umbrella.example.com>\r\nPrecedence: bulk") }, "accept"},
	{"Precedence: list", func(x *scene) { x.header("Precedence: list") }, "accept"},
	{"X-Auto-Response-Suppress is no automatic mail", func(x *scene) { x.header("X-Auto-Response-Suppress: All") }, "accept"},
	{"out of office", func(x *scene) { x.f.Subject = "Out of Office: Hello" }, "hold (looks-automatic)"},
	{"自動返信", func(x *scene) { x.f.Subject = "【自動返信】Hello" }, "accept"},
	{"自動返信 at the start", func(x *scene) { x.f.Subject = "自動返信：Hello" }, "hold (looks-automatic)"},
	{"automatic by a member who may", func(x *scene) {
		x.header("Auto-Submitted: auto-generated")
		x.f.Member.ModerationAction = list.Accept
	}, "accept (member-moderation)"},

	{"DNS failed", func(x *scene) { x.f.Auth = absent }, "defer (dns-failure)"},
	{"DNS failed for four hours", func(x *scene) { x.f.Auth = absent; x.f.LateHours = 4 }, "hold (dns-failure, unauthenticated)"},
	{"DNS failed, and it does not matter", func(x *scene) { x.f.Auth = absent; x.set().Emergency = true }, "hold (unauthenticated, emergency)"},
	{"DNS failed for a stranger", func(x *scene) { x.f.Auth = absent; x.stranger() }, "hold (nonmember)"},
	{"DNS failed, trusted network", func(x *scene) { x.f.Auth = absent; x.f.Trusted = true }, "accept"},
	{"DNS failed for long, others are refused", func(x *scene) {
		x.f.Auth, x.f.LateHours = absent, 5
		x.set().UnauthenticatedAction = list.Reject
	}, "hold (dns-failure, unauthenticated)"},

	{"forged member", func(x *scene) { x.f.Auth = failed }, "hold (unauthenticated)"},
	{"forged member, by setting", func(x *scene) { x.f.Auth = failed; x.set().UnauthenticatedAction = list.Reject }, "reject (unauthenticated)"},
	{"forged owner", func(x *scene) { x.f.Auth = failed; x.stranger(); x.f.Owner = true }, "hold (unauthenticated)"},
	{"forged nonmember who may post", func(x *scene) {
		x.f.Auth = failed
		x.stranger()
		x.set().AcceptTheseNonmembers = []string{"ann@example.jp"}
	}, "hold (unauthenticated)"},
	{"forged nonmember whose row accepts", func(x *scene) {
		x.f.Auth = failed
		x.stranger()
		x.f.Nonmember = &list.Member{ModerationAction: list.Accept}
	}, "hold (unauthenticated)"},
	{"trusted network", func(x *scene) { x.f.Auth = failed; x.f.Trusted = true }, "accept"},
	{"member without authentication", func(x *scene) { x.f.Auth = failed; x.f.Member.Unauthenticated = true }, "accept"},
	{"exempt address", func(x *scene) { x.f.Auth = failed; x.set().UnauthenticatedExempt = []string{"ann@example.jp"} }, "accept"},
	{"exempt domain", func(x *scene) { x.f.Auth = failed; x.set().UnauthenticatedExempt = []string{"example.jp"} }, "accept"},
	{"stranger without authentication", func(x *scene) { x.f.Auth = failed; x.stranger() }, "hold (nonmember)"},

	{"emergency", func(x *scene) { x.set().Emergency = true }, "hold (emergency)"},
	{"the last post of the day", func(x *scene) { x.set().MaxPostsPerDay = 3; x.f.Today = 2 }, "accept"},
	{"one post too many", func(x *scene) { x.set().MaxPostsPerDay = 3; x.f.Today = 3 }, "hold (posts-per-day)"},
	{"one post too many for the site", func(x *scene) { x.s.Quotas.Posts = 3; x.f.Today = 3 }, "hold (posts-per-day)"},
	{"the list has more than the site", func(x *scene) { x.s.Quotas.Posts = 3; x.set().MaxPostsPerDay = 9; x.f.Today = 3 }, "accept"},
	{"one post too many, and a header that is accepted", func(x *scene) {
		x.set().MaxPostsPerDay = 3
		x.f.Today = 3
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "Subject", Pattern: "Hello", Action: list.Accept}}
	}, "hold (posts-per-day)"},
	{"one post too many, of a stranger who is refused", func(x *scene) {
		x.set().MaxPostsPerDay = 3
		x.f.Today = 3
		x.stranger()
		x.set().DefaultNonmemberAction = list.Reject
	}, "reject (nonmember)"},
	{"one post too many, of a moderator who knows", func(x *scene) {
		x.set().MaxPostsPerDay = 3
		x.f.Today = 3
		x.f.Owner, x.f.Approve = true, true
	}, "accept (approved, posts-per-day)"},
	{"room in the archive", func(x *scene) { x.set().MaxArchiveSize = 1; x.f.Archived = 1<<20 - 1 }, "accept"},
	{"the archive is full", func(x *scene) { x.s.Quotas.Archive = 1; x.f.Archived = 1 << 20 }, "hold (archive-full)"},
	{"emergency beats an accepted member", func(x *scene) {
		x.set().Emergency = true
		x.f.Member.ModerationAction = list.Accept
	}, "hold (emergency)"},

	{"moderated member", func(x *scene) { x.f.Member.ModerationAction = list.Hold }, "hold (member-moderation)"},
	{"refused member", func(x *scene) { x.f.Member.ModerationAction = list.Reject }, "reject (member-moderation)"},
	{"discarded member", func(x *scene) { x.f.Member.ModerationAction = list.Discard }, "discard (member-moderation)"},
	{"accepted member skips the suspicious rules", func(x *scene) {
		x.f.Member.ModerationAction = list.Accept
		x.f.To = nil
	}, "accept (member-moderation)"},
	{"members are held", func(x *scene) { x.set().DefaultMemberAction = list.Hold }, "hold (member-default)"},
	{"members are held, this one is not", func(x *scene) {
		x.set().DefaultMemberAction = list.Hold
		x.f.Member.ModerationAction = list.Accept
	}, "accept (member-moderation)"},
	{"members are held, owners are not", func(x *scene) { x.set().DefaultMemberAction = list.Hold; x.f.Owner = true }, "accept"},

	{"stranger", func(x *scene) { x.stranger() }, "hold (nonmember)"},
	{"stranger where all may post", func(x *scene) { x.stranger(); x.set().DefaultNonmemberAction = list.Accept }, "accept"},
	{"nonmember with a row", func(x *scene) { x.stranger(); x.f.Nonmember = &list.Member{ModerationAction: list.Discard} }, "discard (nonmember-moderation)"},
	{"nonmember with a row without action", func(x *scene) { x.stranger(); x.f.Nonmember = &list.Member{} }, "hold (nonmember)"},
	{"nonmember accepted by row", func(x *scene) {
		x.stranger()
		x.f.Nonmember = &list.Member{ModerationAction: list.Accept}
	}, "accept (nonmember-moderation)"},
	{"accept_these", func(x *scene) { x.stranger(); x.set().AcceptTheseNonmembers = []string{"^ann@"} }, "accept"},
	{"accept_these before discard_these", func(x *scene) {
		x.stranger()
		x.set().AcceptTheseNonmembers = []string{"ann@example.jp"}
		x.set().DiscardTheseNonmembers = []string{"^.*@example.jp"}
	}, "accept"},
	{"hold_these", func(x *scene) {
		x.stranger()
		x.set().DefaultNonmemberAction = list.Reject
		x.set().HoldTheseNonmembers = []string{"ann@example.jp"}
	}, "hold (nonmember-listed)"},
	{"reject_these", func(x *scene) { x.stranger(); x.set().RejectTheseNonmembers = []string{"ann@example.jp"} }, "reject (nonmember-listed)"},
	{"discard_these", func(x *scene) { x.stranger(); x.set().DiscardTheseNonmembers = []string{"ann@example.jp"} }, "discard (nonmember-listed)"},
	{"member of another list", func(x *scene) {
		x.stranger()
		x.set().AcceptTheseNonmembers = []string{"@staff@lists.example.jp"}
		x.f.Others = []string{"@staff@lists.example.jp"}
	}, "accept"},
	{"no member of another list", func(x *scene) {
		x.stranger()
		x.set().AcceptTheseNonmembers = []string{"@staff@lists.example.jp"}
	}, "hold (nonmember)"},

	{"announcements: member", func(x *scene) { x.set().AllowListPosts = false }, "reject (announce-only)"},
	{"announcements: stranger", func(x *scene) { x.set().AllowListPosts = false; x.stranger() }, "reject (announce-only)"},
	{"announcements: owner", func(x *scene) { x.set().AllowListPosts = false; x.f.Owner = true }, "accept"},
	{"announcements: named address", func(x *scene) {
		x.set().AllowListPosts = false
		x.stranger()
		x.set().AcceptTheseNonmembers = []string{"ann@example.jp"}
	}, "accept"},
	{"announcements: row that accepts", func(x *scene) {
		x.set().AllowListPosts = false
		x.stranger()
		x.f.Nonmember = &list.Member{ModerationAction: list.Accept}
	}, "accept (nonmember-moderation)"},
	{"announcements: named address whose row holds", func(x *scene) {
		x.set().AllowListPosts = false
		x.stranger()
		x.f.Nonmember = &list.Member{ModerationAction: list.Hold}
		x.set().AcceptTheseNonmembers = []string{"ann@example.jp"}
	}, "reject (announce-only)"},
	{"announcements: accepted member", func(x *scene) {
		x.set().AllowListPosts = false
		x.f.Member.ModerationAction = list.Accept
	}, "accept (member-moderation)"},
	{"announcements: named member", func(x *scene) {
		x.set().AllowListPosts = false
		x.set().AcceptTheseNonmembers = []string{"ann@example.jp"}
	}, "accept"},

	{"header match beats an accepted member", func(x *scene) {
		x.f.Member.ModerationAction = list.Accept
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "Subject", Pattern: ".", Action: list.Reject}}
	}, "reject (header-match)"},
	{"header match", func(x *scene) {
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "subject", Pattern: "hel+o", Action: list.Reject}}
	}, "reject (header-match)"},
	{"header match holds and others go on", func(x *scene) {
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "Subject", Pattern: "hello", Action: list.Hold}}
		x.f.To = nil
	}, "hold (header-match, implicit-destination)"},
	{"the first header match counts", func(x *scene) {
		x.set().HeaderMatches = []list.HeaderMatch{
			{Header: "Subject", Pattern: "goodbye", Action: list.Discard},
			{Header: "Subject", Pattern: "hello", Action: list.Accept},
			{Header: "From", Pattern: "ann", Action: list.Reject},
		}
		x.f.To = nil
	}, "accept (header-match)"},
	{"header match on decoded text", func(x *scene) {
		x.header("X-Note: =?UTF-8?B?44Kr44Kk44Op44Oz?=")
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "X-Note", Pattern: "^カイラン$", Action: list.Discard}}
	}, "discard (header-match)"},
	{"header match on raw text", func(x *scene) {
		x.header("X-Note: =?UTF-8?B?44Kr44Kk44Op44Oz?=")
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "X-Note", Pattern: `=\?utf-8\?b\?`, Action: list.Discard}}
	}, "discard (header-match)"},
	{"header match looks at sixteen fields", func(x *scene) {
		x.header("X-Note: yes")
		for range 16 {
			x.header("X-Note: no") // above it
		}
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "X-Note", Pattern: "yes", Action: list.Discard}}
	}, "accept"},
	{"header match does not lift a hold", func(x *scene) {
		x.stranger()
		x.set().HeaderMatches = []list.HeaderMatch{{Header: "Subject", Pattern: ".", Action: list.Accept}}
	}, "hold (nonmember)"},

	{"ten recipients", func(x *scene) { x.f.To = slices.Repeat([]address.Address{posted}, 10) }, "hold (too-many-recipients)"},
	{"nine recipients", func(x *scene) { x.f.To = slices.Repeat([]address.Address{posted}, 9) }, "accept"},
	{"no limit of recipients", func(x *scene) {
		x.f.To = slices.Repeat([]address.Address{posted}, 1000)
		x.set().MaxNumRecipients = 0
	}, "accept"},

	{"Bcc to the list", func(x *scene) { x.f.To = []address.Address{ann} }, "hold (implicit-destination)"},
	{"Bcc where that is allowed", func(x *scene) { x.f.To = nil; x.set().RequireExplicitDestination = false }, "accept"},
	{"to a former address", func(x *scene) {
		x.l.Former = []string{"old@example.jp"}
		x.f.To = []address.Address{address.Must("OLD@example.jp")}
	}, "accept"},
	{"to an alias", func(x *scene) {
		x.set().AcceptableAliases = []string{"^all@"}
		x.f.To = []address.Address{address.Must("all@example.jp")}
	}, "accept"},

	{"no Subject", func(x *scene) { x.f.Subject = " "; x.set().RequireSubject = true }, "hold (no-subject)"},
	{"no Subject where that is allowed", func(x *scene) { x.f.Subject = "" }, "accept"},

	{"an answer to a digest", func(x *scene) { x.f.DigestReply = true }, "hold (digest-reply)"},
	{"a command as Subject", func(x *scene) { x.f.Subject, x.f.Excerpt = "unsubscribe", "" }, "hold (administrivia)"},
	{"a command where that is allowed", func(x *scene) {
		x.f.Subject, x.f.Excerpt = "unsubscribe", ""
		x.set().Administrivia = false
	}, "accept"},

	{"a moderator approves", func(x *scene) {
		x.stranger()
		x.f.Owner, x.f.To = true, nil
		x.set().Emergency = true
		x.f.Approve = true
	}, "accept (approved, emergency, implicit-destination)"},
	{"a moderator whose mail is believed without a proof", func(x *scene) {
		x.f.Owner, x.f.Approve, x.f.Auth, x.f.To = true, true, failed, nil
		x.set().UnauthenticatedExempt = []string{"example.jp"}
	}, "hold (implicit-destination)"},
	{"a member approves", func(x *scene) { x.f.To = nil; x.f.Approve = true }, "hold (implicit-destination)"},
	{"somebody approves in a moderator's name", func(x *scene) { x.f.Owner, x.f.Auth = true, failed; x.f.Approve = true }, "hold (unauthenticated)"},
	{"an approval lifts no refusal", func(x *scene) { x.f.Owner = true; x.f.Size = 2 << 20; x.f.Approve = true }, "reject (too-large)"},
	{"an approval that the DNS hides", func(x *scene) { x.f.Owner, x.f.Auth = true, absent; x.f.Approve = true }, "defer (dns-failure)"},

	{"many wait", func(x *scene) { x.stranger(); x.f.Held = 199 }, "hold (nonmember)"},
	{"too many wait", func(x *scene) { x.stranger(); x.f.Held = 200 }, "reject (too-many-held, nonmember)"},
	{"too many wait for forgeries", func(x *scene) { x.f.Auth = failed; x.f.Held = 150 }, "reject (too-many-held, unauthenticated)"},
	{"too many wait without a limit", func(x *scene) { x.stranger(); x.f.Held = 2000; x.set().MaxHeld = 0 }, "hold (nonmember)"},
	{"too many wait of one author", func(x *scene) { x.stranger(); x.f.HeldSame = 10 }, "reject (too-many-held, nonmember)"},
	{"many wait, and a post that does not", func(x *scene) { x.f.Held, x.f.HeldSame = 1000, 1000 }, "accept"},

	{"several reasons", func(x *scene) { x.stranger(); x.f.To = nil; x.f.Duplicate = "other" }, "hold (duplicate, nonmember, implicit-destination)"},
}

func TestDecide(t *testing.T) {
	t.Parallel()
	fired := map[string]bool{}
	for _, c := range cases {
		x := newScene()
		c.setup(x)
		v := Decide(x.l, x.s, x.f)
		if got := v.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		for _, r := range v.Reasons {
			fired[r.Rule] = true
		}
	}
	for _, name := range names() {
		if !fired[name] {
			t.Errorf("no case makes rule %s speak", name)
		}
	}
}

// TestOrder breaks two rules in each case: the one that stands first in the table must decide.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		setup func(*scene)
		want  string
	}{
		{"loop before author", func(x *scene) { x.header("X-Loop: janog@lists.example.jp"); x.f.Froms = 0 }, "discard (loop)"},
		{"author before ban", func(x *scene) { x.f.Froms = 2; x.s.BanList = []string{"ann@example.jp"}; x.f.Auth = failed }, "reject (no-author)"},
		{"ban before duplicate", func(x *scene) { x.f.Duplicate = "same"; x.s.BanList = []string{"ann@example.jp"} }, "reject (banned)"},
		{"duplicate before size", func(x *scene) { x.f.Duplicate = "same"; x.f.Size = 2 << 20 }, "discard (duplicate)"},
		{"size before automatic", func(x *scene) { x.f.Sender = address.Address{}; x.f.Size = 2 << 20 }, "reject (too-large)"},
		{"automatic before authentication", func(x *scene) {
			x.f.Sender, x.f.Auth = address.Address{}, failed
			x.set().UnauthenticatedAction = list.Reject
		}, "discard (automatic)"},
		{"ban before DNS", func(x *scene) { x.f.Auth = absent; x.s.BanList = []string{"ann@example.jp"} }, "discard (banned)"},
		{"DNS before authentication", func(x *scene) { x.f.Auth = absent; x.set().UnauthenticatedAction = list.Reject }, "defer (dns-failure)"},
		{"authentication before membership", func(x *scene) {
			x.f.Auth, x.f.Member.ModerationAction = failed, list.Reject
			x.set().UnauthenticatedAction = list.Discard
		}, "discard (unauthenticated)"},
		{"member before announcements", func(x *scene) { x.set().AllowListPosts = false; x.f.Member.ModerationAction = list.Discard }, "discard (member-moderation)"},
		{"announcements before header matches", func(x *scene) {
			x.set().AllowListPosts = false
			x.set().HeaderMatches = []list.HeaderMatch{{Header: "Subject", Pattern: ".", Action: list.Discard}}
		}, "reject (announce-only)"},
	} {
		x := newScene()
		c.setup(x)
		if got := Decide(x.l, x.s, x.f).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestTable pins what others depend on.
func TestTable(t *testing.T) {
	t.Parallel()
	want := []string{
		"loop", "no-author", "banned", "duplicate", "too-large", "automatic", "dns-failure", "unauthenticated", "emergency", "posts-per-day", "archive-full",
		"member-moderation", "member-default", "nonmember-moderation", "nonmember-listed", "nonmember", "announce-only", "header-match",
		"looks-automatic", "too-many-recipients", "implicit-destination", "no-subject", "digest-reply", "administrivia",
		"approved", "too-many-held",
	}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("names and order are for ever (-want +got):\n%s", diff)
	}
	last := decisive
	for _, r := range table {
		if r.kind < last {
			t.Errorf("%s: a decisive rule stands after a suspicious one, which an Accept may have skipped", r.name)
		}
		last = r.kind
		if r.says == "" || strings.ContainsFunc(r.says, func(c rune) bool { return c < ' ' || c > '~' }) || strings.HasSuffix(r.says, ".") || strings.ToLower(r.name) != r.name {
			t.Errorf("%s: says %q", r.name, r.says)
		}
	}
}

// TestUnauthenticatedIsNeverAccepted tries many random facts.
func TestUnauthenticatedIsNeverAccepted(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	coin := func() bool { return rnd.IntN(2) == 0 }
	actions := []list.Action{"", list.Accept, list.Hold, list.Reject, list.Discard}
	pick := func() list.Action { return actions[rnd.IntN(len(actions))] }
	for range 20_000 {
		x := newScene()
		x.f.Auth = []mailauth.Results{failed, absent}[rnd.IntN(2)]
		x.f.LateHours = rnd.IntN(8)
		x.f.Owner = coin()
		if coin() {
			x.f.Approve = true
		}
		x.f.Member.ModerationAction = pick()
		if coin() && x.f.Owner {
			x.f.Member = nil
		}
		if coin() {
			x.f.Nonmember = &list.Member{ModerationAction: pick()}
		}
		s := x.set()
		s.Emergency, s.AllowListPosts, s.Administrivia = coin(), coin(), coin()
		s.DefaultMemberAction, s.DefaultNonmemberAction = cmpOr(pick(), list.Accept), cmpOr(pick(), list.Accept)
		s.UnauthenticatedAction = []list.Action{list.Hold, list.Reject, list.Discard}[rnd.IntN(3)]
		if coin() {
			s.AcceptTheseNonmembers = []string{"^."}
		}
		if coin() {
			s.HeaderMatches = []list.HeaderMatch{{Header: "From", Pattern: ".", Action: cmpOr(pick(), list.Accept)}}
		}
		if v := Decide(x.l, x.s, x.f); v.Action == list.Accept {
			t.Fatalf("accepted: %+v with %+v", x.f, s)
		}
	}
}

func cmpOr(a, b list.Action) list.Action {
	if a == "" {
		return b
	}
	return a
}

func TestAdministrivia(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject, text string
		want          bool
	}{
		{"unsubscribe", "", true},
		{"Unsubscribe me please", "", true},
		{"ｕｎｓｕｂｓｃｒｉｂｅ", "", true},
		{"[janog:00012] unsubscribe", "", true},
		{"", "subscribe ann@example.jp\n-- \nAnn\nExample Inc.\n", true},
		{"Hello", "\n\nplease remove me from this list.\n", true},
		{"退会", "お世話になります。\n", true},
		{"退会希望", "", true},
		{"お願い", "退会をお願いします。\n", true},
		{"（無題）", "メーリングリストの登録解除を希望します\n", true},
		{"HELP", "", true},
		{"set nomail", "", true},
		{"Re: unsubscribe", "You can do that on the page.\n", false},
		{"How to unsubscribe", "Where is the page?\n", false},
		{"退会者の推移について", "資料を送ります。\n", false},
		{"Help", strings.Repeat("My router drops packets when BGP flaps, and I do not know why.\n", 8), false},
		{"", "unsubscribe\n" + strings.Repeat("x", 300), false},
		{"BGP", "> unsubscribe\nThis word stood in the last post.\n", false},
		{"BGP", "Hello\n-- \nunsubscribe\n", false},
		{"Join us at the party", "", false},
	} {
		x := newScene()
		x.f.Subject, x.f.Excerpt = c.subject, c.text
		action, _ := administrivia(&question{l: x.l, f: x.f})
		if got := action == list.Hold; got != c.want {
			t.Errorf("%q %q: got %v, want %v", c.subject, c.text, got, c.want)
		}
	}
}
