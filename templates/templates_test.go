package templates

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func newSet(t testing.TB) *Set {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// used returns the keys that templates and Go source ask for, and the prefixes of keys that are put together.
func used(t *testing.T) (keys map[string]string, prefixes []string) {
	t.Helper()
	keys = map[string]string{}
	inTemplate := regexp.MustCompile(`\bt "([^"]+)"`)
	inFault := regexp.MustCompile(`(?:FaultPart\(|NewFault\([^",]+, |wrong\((?:[^",()]+, |"[a-z_]+", )?)"([a-z][a-z0-9.-]*)"(\s*\+)?`)
	word := regexp.MustCompile(`\bWord(?::|\s*=)\s*"([a-z]+\.[^"]*)"(\s*\+)?`) // of list.Event
	inGo := regexp.MustCompile(`\.T\([^,()]+(?:\([^()]*\))?,\s*"([a-z][^"]*)"(\s*\+)?`)
	inWriter := regexp.MustCompile(`\bw\.t\("([^"]+)"`)
	area := ""
	collect := func(re *regexp.Regexp, where string, b []byte) {
		for _, m := range re.FindAllSubmatch(b, -1) {
			if len(m) > 2 && len(m[2]) > 0 {
				prefixes = append(prefixes, area+string(m[1]))
				continue
			}
			keys[area+string(m[1])] = where
		}
	}
	fs.WalkDir(files, "html", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(p)
		collect(inTemplate, p, b)
		return err
	})
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return nil // a file that somebody is just moving
		}
		collect(inGo, p, b)
		collect(inWriter, p, b)
		area = "fault."
		collect(inFault, p, b)
		area = "entry."
		collect(word, p, b)
		area = ""
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range terms {
		prefixes = append(prefixes, prefix)
	}
	return keys, append(prefixes, "entry.field.", "entry.value.", "entry.why", "entry.change", "nonmember.", "site-lists.title", "site-log.title", "site-queue.", "site-domains.")
}

func TestEveryKeyIsThereAndUsed(t *testing.T) {
	s := newSet(t)
	keys, prefixes := used(t)
	if len(keys) < 40 {
		t.Fatalf("only %d keys found: the search is broken", len(keys))
	}
	for _, lang := range Languages() {
		for key, where := range keys {
			if !s.Has(lang, key) {
				t.Errorf("%s: no words in %s for %q", where, lang, key)
			}
		}
		for key := range s.words[lang] {
			composed := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
			if keys[key] == "" && !composed {
				t.Errorf("%s: nothing uses %q", lang, key)
			}
		}
	}
}

func TestLanguagesAgree(t *testing.T) {
	s := newSet(t)
	params := func(segs []segment) []string {
		names := map[string]bool{}
		for _, g := range segs {
			if g.param {
				names[g.text] = true
			}
		}
		return slices.Sorted(maps.Keys(names))
	}
	en, ja := s.words["en"], s.words["ja"]
	for key, e := range en {
		if got, want := params(ja[key].other), params(e.other); !slices.Equal(got, want) {
			t.Errorf("%s: ja has the parameters %v, en %v", key, got, want)
		}
		if e.one != nil && !slices.Equal(params(e.one), params(e.other)) {
			t.Errorf("%s: singular and plural have other parameters", key)
		}
	}
	for name, m := range s.mails {
		base, lang, _ := strings.Cut(name, ".")
		for _, other := range Languages() {
			o, ok := s.mails[base+"."+other]
			if !ok {
				t.Errorf("mail %s is there in %s and not in %s", base, lang, other)
			} else if !slices.Equal(params(m.body), params(o.body)) || !slices.Equal(params(m.subject), params(o.subject)) {
				t.Errorf("mail %s: placeholders of %s and %s differ", base, lang, other)
			}
		}
	}
}

func TestReasonsAreComplete(t *testing.T) {
	s := newSet(t)
	for _, lang := range Languages() {
		for key := range s.words[lang] {
			name, ok := strings.CutPrefix(key, "reason.")
			if !ok {
				continue
			}
			name = name[:strings.LastIndex(name, ".")]
			for _, part := range []string{"title", "means", "do"} {
				if !s.Has(lang, "reason."+name+"."+part) {
					t.Errorf("%s: reason %s has no %s", lang, name, part)
				}
			}
		}
	}
}

func TestText(t *testing.T) {
	s := newSet(t)
	for _, c := range []struct {
		lang, key string
		args      []any
		want      string
	}{
		{"en", "thread.messages", []any{"n", 1}, "1 message"},
		{"en", "thread.messages", []any{"n", 0}, "0 messages"},
		{"en", "thread.messages", []any{"n", 12}, "12 messages"},
		{"ja", "thread.messages", []any{"n", 1}, "1件"},
		{"en", "leave.title", []any{"list", "JANOG"}, "Leave JANOG"},
		{"fr", "message.raw", nil, "Source"},
		{"en", "leave.title", nil, "leave.title"},
		{"en", "no.such", nil, "no.such"},
	} {
		if got := s.T(c.lang, c.key, c.args...); got != c.want {
			t.Errorf("%s %s %v = %q, want %q", c.lang, c.key, c.args, got, c.want)
		}
	}
}

func TestEntry(t *testing.T) {
	s := newSet(t)
	for _, c := range []struct {
		lang, word string
		args       map[string]string
		want       string
	}{
		{"ja", "role.given", map[string]string{"address": "<a>@b.test", "role": "owner"}, "<a>@b.test を管理者に任命"},
		{"ja", "settings.changed", map[string]string{"n": "3", "settings": "emergency, no_such", "why": "洪水"}, "変更 3: 緊急停止, no_such（洪水）"},
		{"en", "member.set", map[string]string{"address": "a@b.test", "changes": "hide true -> false\ndisplay_name A, B -> C"}, "a@b.test: hidden from the list of members: yes → no, name: A, B → C"},
		{"en", "member.imported", map[string]string{"n": "1"}, "1 member was imported"},
		{"en", "member.moved", nil, "member.moved"}, // a row that lacks what the words need
		{"en", "no.such", nil, "no.such"},
	} {
		if got := s.Entry(c.lang, c.word, c.args); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.word, got, c.want)
		}
	}
}

// sample returns a view for each page, with something in every field that a template looks at.
func sample() map[string][]any {
	when := NewTime("ja", time.Date(2026, 1, 5, 14, 3, 0, 0, time.UTC))
	row := OutlineRow{Depth: 1, Href: "#m2", From: "佐藤 <花子>", Subject: "Re: x", Sent: when, Current: true, HasAttachment: true}
	post := Post{
		Anchor: "m1", Depth: 1, Subject: `a "<b>" subject`, From: "Ann", FromAddress: "an…@example.jp", Initial: "A", Sent: when,
		Href: "/janog/m/a@example.jp/", Raw: "/janog/m/a@example.jp/raw", Reply: "mailto:janog@lists.example.jp?subject=Re%3A%20x",
		InReplyTo: Link{Href: "#m0", Text: "Bob"}, Cut: true,
		Blocks: []Block{{Kind: "text", HTML: "hello"}, {Kind: "quote", Fold: true, Preformatted: true, Lines: 9, HTML: "quoted"}, {Kind: "signature", Fold: true, HTML: "-- Ann"}},
		Attachments: []Attachment{{Href: "/x", Name: "図.pdf", Kind: "application/pdf", Size: "12 KB"}, {Href: "/y", Name: "a.eml", Kind: "message/rfc822", Size: "1 KB", Message: &Enclosed{
			From: "Bob", Subject: "転送", Sent: when, Blocks: []Block{{Kind: "text", HTML: "hello"}}, Attachments: []Attachment{{Href: "/z", Name: "z", Kind: "image/png", Size: "1 KB"}}}}},
	}
	link := Link{Href: "/x/", Text: "x"}
	pages := []PageLink{{Text: "1", Current: true}, {Href: "?p=2", Text: "2"}}
	years := []Year{{Year: "2026", Months: []MonthLink{{Short: "1月"}, {Href: "/x", Name: "2026年2月", Short: "2月", Messages: 3, Level: 4}}}}
	thread := ThreadRow{Href: "/x", Subject: "s", From: "f", Count: 2, Last: when}
	return map[string][]any{
		"home": {Home{}, Home{Lists: []ListRow{{Title: "JANOG", Href: "/janog/", Address: "janog@lists.example.jp", Description: "d", Private: true, Last: when}}}, Home{Find: true, Query: `"<T>`}, Home{Find: true, Pages: pages, Lists: []ListRow{{}}}},
		"list": {List{Closed: true}, List{Title: "JANOG", Address: "janog@lists.example.jp", Post: "mailto:a@example.jp", ArchivePrivate: true, Announce: true},
			List{ArchiveShown: true}, List{ArchiveShown: true, Front: Front{Threads: []ThreadRow{thread}, Busy: []ThreadRow{thread}, Total: 3, LatelyMessages: 2, LatelyThreads: 1, Years: years, Older: years, OlderYears: "2026", OlderMessages: 3}},
			List{ArchiveShown: true, Front: Front{Quiet: true, Last: when}}},
		"month":       {Month{Name: "2026年1月", Messages: 3, Prev: link, Next: link, Pages: pages, Threads: []MonthThread{{Href: "/x", Earlier: true, Rows: []OutlineRow{row}, More: 2}}}, Month{}},
		"message":     {Message{Post: post, Canonical: "https://lists.example.jp/x", Prev: link, Next: link, ThreadPrev: link, ThreadNext: link, Thread: "/t", ThreadCount: 2, Outline: []OutlineRow{row}, Recipients: "janog", Cc: "bob", Number: "7"}, Message{}},
		"thread":      {Thread{Subject: "s", Count: 2, People: 2, First: when, Last: when, Outline: []OutlineRow{row}, Posts: []Post{post, {}}, Pages: pages}, Thread{}},
		"why":         {Why{Name: "size", Sections: []Reason{{Lang: "ja", Title: "t", Means: "m", Do: "d"}}}},
		"unsubscribe": {Unsubscribe{State: "confirm"}, Unsubscribe{State: "left", Undo: "/-/undo/x", UndoDays: 7}, Unsubscribe{State: "already", Join: "mailto:a@example.jp"}, Unsubscribe{State: "undone", ListHref: "/x/"}},
		"leave":       {Leave{List: "JANOG", Leave: "mailto:a@example.jp"}},
		"login": {Login{State: "ask"}, Login{State: "ask", ByMail: true, Passkeys: true, Directory: "<T>", Note: "<T>"}, Login{State: "ask", ByMail: true, Address: `"<T>`, To: "/a?b", Wrong: "<T>"}, Login{State: "confirm", Address: "ann@example.jp"},
			Login{State: "bad", ByMail: true}, Login{State: "code"}, Login{State: "code", Wrong: "x"}, Login{State: "elsewhere"}},
		"demo": {Demo{}, Demo{Action: "/-/demo", People: []DemoPerson{{Address: "ann@example.jp", Role: "<T>", Means: "<T>"}}}},
		"join": {Join{}, Join{JoinBox: JoinBox{Mine: "/-/my/x", Policy: "p", Archive: "a"}, Announce: true}, Join{JoinBox: JoinBox{Address: "ann@example.jp", Addresses: []string{"ann@example.jp", "<T>"}, Press: true, Mail: "mailto:x"}, Conduct: "<T>", HasConduct: true},
			Join{Typed: "<T>", Name: `"<T>`, ConductPage: "https://example.jp/", HasConduct: true, Description: "<T>", Again: "x", WrongAddress: "<T>", WrongConduct: "x"}},
		"joining":     {Joining{}, Joining{List: "<T>", ListHref: "/x/", Steps: []string{"<T>", "b"}, Mail: "mailto:x"}},
		"my-posts":    {MyPosts{}, MyPosts{Posts: []MyPost{{ID: "0", Subject: "<T>", List: "<T>", ListHref: "/x/", Href: "/x/m/1/", Received: when, Fate: "f", Copies: "c", Redact: true}, {Fate: "f", Reasons: []Link{link}, Withdraw: true}}}},
		"new-address": {NewAddress{}, NewAddress{Address: "ann@example.jp", From: []AddressRow{{Address: "ann@example.jp", Preferred: true, Lists: []string{"<T>", "b"}}, {}}, Typed: `"<T>`, Wrong: "<T>"}},
		"addresses":   {Addresses{Full: true}, Addresses{Rows: []AddressRow{{Address: "<T>", Preferred: true, Remove: true, Lists: []string{"<T>"}}, {Remove: true}}, Typed: `"<T>`, Wrong: "<T>"}},
		"passkeys":    {Passkeys{Full: true}, Passkeys{Wrong: "<T>", Rows: []PasskeyRow{{Key: "k", Name: "<T>", Synced: true, Created: when, Used: when, Suspect: when}, {Created: when}}}},
		"passkey":     {Passkey{Options: `{"a":"<T>"}`, Action: "/a", Back: "/b"}, Passkey{Adds: true}},
		"oidc":        {Directory{Name: "<T>", Href: "https://id.example.jp/?a=b&c=d"}},
		"add-address": {AddAddress{Address: "<T>", Action: "/a"}, AddAddress{Wrong: "<T>"}},
		"erase":       {Erase{}, Erase{Addresses: []string{"ann@example.jp", "<T>"}, Lists: []MyList{{Title: "<T>", Href: "/x/", Roles: []string{"owner"}}}, Sessions: 1, Alone: []Link{link}, Admin: "mailto:x"}, Erase{Wrong: "<T>", Sessions: 2}},
		"membership": {Membership{}, Membership{As: "<T>", To: []string{"<T>"}, List: "<T>", ListHref: "/x/", Address: "ann@example.jp", Name: `"<T>`, Action: "/-/my/list/x", Joined: when, Modes: []Choice{{"regular", "<T>", true}, {"off", "o", false}},
			Languages: []Choice{{"", "<T>", false}, {"ja", "x", true}}, Switches: []Switch{{"hide", "<T>", "<T>", true}, {"ack", "a", "b", false}}, Until: "2026-01-02", Wrong: "<T>", ByModerator: true, ByBounces: true, Owner: "mailto:x"}},
		"leave-all": {LeaveAll{}, LeaveAll{Addresses: []string{"ann@example.jp", "<T>"}, Lists: []MyList{{Title: "<T>", Href: "/x/", As: "<T>"}}, UndoDays: 7}},
		"my": {My{Passkeys: true, Addresses: []string{"a", "b", "c"}, Lists: []MyList{{Title: "<T>", As: "<T>", Mine: "/-/my/list/x", Delivery: "<T>"}}, Left: []Departure{{List: "<T>", Href: "/x/", Undo: "/-/undo/0", Until: when}}}, My{}, My{Address: "ann@example.jp", Lists: []MyList{{Title: "<T>", Href: "/x/", Address: "x@example.jp", Member: true, Roles: []string{"owner"}}},
			Sessions: []SessionRow{{ID: "0", Browser: "<T>", Begun: when, Seen: when, Here: true}, {ID: "1"}}}},
		"confirm": {Confirm{}, Confirm{Title: "t", Text: "x", Lines: []string{"add ann@example.jp"}, Action: "/x", Button: "b", Other: "o", ListHref: "/x/", List: "JANOG"}},
		"held": {Held{}, Held{List: "JANOG", ListHref: "/janog/", Lead: "l", Done: "d", Action: "/-/held/x", Words: []string{"accept", "ban"}, Reject: true, Texts: []string{"topic"},
			Posts: []HeldPost{{ID: "1", From: "a@example.jp", Subject: "<b>", Received: when, Reasons: []string{"r"}, Auth: []string{"<T>"}, Text: "<script>", Files: []string{"a", "b"}}, {ID: "2", Received: when, Decided: "accepted", Undo: true}, {ID: "3", Received: when}}}},
		"search": {Search{Action: "/-/search"}, Search{Query: `"<b>"`, Asked: true, Long: true, Incomplete: true, Ignored: []string{"<i>"}, Wider: link}, Search{Asked: true, Slow: true},
			Search{Action: "/x/search", Query: "b", Order: "date", Asked: true, Total: 2000, Seen: 1000, Best: link, Newest: link, Wider: link, Pages: pages,
				Hits: []SearchHit{{Href: "/x", Subject: []SearchPiece{{Text: "a "}, {Text: "<b>", Mark: true}}, Text: []SearchPiece{{Text: "<b>", Mark: true}}, From: "f", List: link, Sent: when, HasAttachment: true}, {Href: "/y", Sent: when}}}},
		"moderate": {Moderate{}, Moderate{Action: "/-/moderate", Total: 3, Pages: pages, Lists: []Link{link}, Orders: pages, Posts: []ModeratePost{
			{HeldPost: HeldPost{ID: "1", From: "a@example.jp", Subject: "<T>", Received: when, Reasons: []string{"<T>"}, Auth: []string{"<T>"}, Text: "<T>", Files: []string{"<T>", "b"}},
				Key: "q1", Item: "x <T>", IsPost: true, List: "<T>", ListHref: "/x/", Texts: []string{"<T>"},
				Risk: "high", RiskWords: "<T>", Trust: true, Bans: "<T>", Sender: []string{"<T>"}, Claim: "<T>", Mine: true, Same: []string{"x <T>", "x 2"}, SameTexts: []string{"<T>"}},
			{HeldPost: HeldPost{Decided: "<T>"}}, {Key: "q3"}}},
			Moderate{Decided: []ModerateDecided{{Item: "x <T>", List: "<T>", ListHref: "/x/", Text: "<T>", Until: "<T>"}}}},
		"settings": {Settings{}, Settings{List: "<T>", Path: "/p", Query: "q", Wrong: true, Count: 1, Waits: []SettingWait{{1, "<T>", "/k"}},
			Groups: []SettingGroup{{ID: "about", Title: "<T>", Fields: settingFields()}}}, Settings{Query: "x"}},
		"setting-history": {SettingHistory{}, SettingHistory{Label: "<T>", Name: "x", Value: "<T>", Action: "/a", Form: "/f", Back: "/b", Older: "/o",
			Rows: []LogRevision{{Number: 2, When: when, By: "<T>", Why: "<T>", Of: 1, Changes: diffs, FallsBack: "12:00:00"}}}},
		"settings-review": {SettingsReview{}, SettingsReview{Changes: diffs, Patch: `{"a":"<T>"}`, Replay: &SettingsReplay{}},
			SettingsReview{Replay: &SettingsReplay{Days: 30, Posts: 9, Different: 2, More: 1, Forgotten: 1, Rows: []ReplayRow{{When: when, Author: "a", Subject: "<T>", Href: "/x", Was: "w", Is: "i"}, {Subject: "s"}}}}},
		"hidden": {Hidden{}, Hidden{Action: "/a", Total: 2, Pages: pages, Messages: []HiddenMessage{
			{Post: "<T>", Href: "/x", Subject: "<T>", From: "<T>", Sent: when, What: "<T>", By: "<T>", Reason: "<T>", When: when}, {Post: "2", Sent: when, When: when}}}},
		"admin-home": {AdminHome{}, AdminHome{Site: true, Lists: []SiteList{{Title: "<T>", Held: 1}, {}}}},
		"site-lists": {SiteLists{}, SiteLists{Find: true, Query: `"<T>`}, SiteLists{Find: true, Pages: pages, Domains: []SiteDomain{{Name: "<T>", Lists: []SiteList{{Title: "<T>", Members: 3, Held: 1, Last: when, States: []string{"s"}}, {}}}},
			Form: NewList{Wrong: "<T>", Styles: []ListStyle{{Chosen: true}, {}}, Languages: LanguageNames()}}},
		"site-list":    {SiteListPage{}, SiteListPage{SiteList: SiteList{Title: "<T>", Held: 1, States: []string{"s"}}, Former: []string{"a@b.test"}, WrongTo: "<T>", WrongYes: "<T>", Usage: []Fact{{"n", "v"}}}},
		"site-queue":   {SiteQueue{}, SiteQueue{By: "post", Waiting: 2, More: true, Pages: pages, Rows: []QueueRow{{Key: "<T>", Name: "<T>", List: "<T>", Waiting: 1, Attempts: 1, Queued: when, Next: when, Reply: "<T>"}, {}}}},
		"site-domains": {SiteDomains{}, SiteDomains{Pages: pages, Domains: []DomainStatus{{Name: "<T>", NoKey: true}, {Fine: true, Records: []RecordRow{{What: "w", Means: "m", State: "s", Bad: true, Name: "n", Type: "TXT", Found: []string{"<T>"}, Publish: `<T> "x"`}, {}}}}}},
		"site-log":     {SiteLog{}, SiteLog{By: "<T>", Stages: []SettingOption{{"list", "list", true}, {}}, Older: "/o", Events: []LogEvent{{when, "list", "<T>", "ann"}}}},
		"log": {Log{}, Log{List: "x", Older: "/o", Events: []LogEvent{{when, "member", "<T>", "ann"}, {}},
			Revisions: []LogRevision{{Number: 2, When: when, By: "<T>", Why: "<T>", Of: 1, Changes: diffs, FallsBack: "12:00:00", Action: "/a"}, {Number: 1}}}},
		"health": {Health{}, Health{Members: "7,012", Off: "12", Since: "<T>", Growth: chart, Posts: &Chart{ID: "none"}, Deliveries: chart, Moderation: chart, OffReasons: Shares{None: "<T>"},
			Providers: Shares{Caption: "<T>", Heads: []string{"<T>", "n"}, Rows: []Share{{"<T>", []string{"1"}, 50}}}}},
		"texts": {Texts{}, Texts{Lead: "<T>", Groups: []TextGroup{{Title: "<T>", Rows: []TextRow{{Href: "/x", Title: "<T>", When: "<T>", Own: []string{"<T>"}}}}}}},
		"text": {Text{}, Text{Title: "<T>", When: "<T>", Back: "/b", Action: "/a", Wrong: true, Placeholders: []Placeholder{{"url", "<T>", "<T>", true}, {}},
			Words: []TextWords{{Lang: "ja", Label: "<T>", Subject: `"<T>`, Body: "<T>", Lines: 3, WrongSubject: "<T>", WrongBody: "<T>", Origin: "<T>", At: when, Unset: true, PreviewSubject: "<T>", PreviewIs: "<T>"}, {Lang: "en"}}}},
		"notice": {Notice{Text: "x", SignIn: "/-/login"}, Notice{}, Notice{Text: "<T>", Help: link}},
		"outbox": {Outbox{}, Outbox{Copies: 1, Recipients: []Recipient{{Address: "ann@example.jp", Copies: []CopyRow{{Href: "/x", From: "f", Sent: when}}}}}},
		"copy":   {Copy{Sent: when, Raw: "From: <x>", Links: []Link{link}, Download: "/d"}, Copy{Sender: "a@example.jp"}},
	}
}

var chart = &Chart{ID: "c", Title: "<T>", Desc: "<T>", Series: []string{"<T>", "b"}, Columns: []ChartColumn{{"<T>", []int{3, 1}}, {"b", []int{0, 0}}}, Heads: []string{"<T>", "n"}, Rows: [][]string{{"<T>", "1"}}, Down: true}

var diffs = []SettingDiff{{"Ban list", "<T>", "a\nb"}}

// settingFields has a setting of each kind.
func settingFields() (fields []SettingField) {
	for _, kind := range []string{"switch", "number", "decimal", "word", "words", "line", "lines", "text", "texts", "headers", "saved"} {
		fields = append(fields, SettingField{
			Name: kind, Kind: kind, Label: "<T>", Help: "<T>", Changed: "<T>", History: "/h", Default: "<T>", Example: "<T>", Wrong: "<T>", Value: "<T>", Lines: 3, On: true,
			Options: []SettingOption{{"a", "<T>", true}, {"b", "b", false}},
			Texts:   []SettingText{{"t.ja", "ja", "<T>", "<T>"}},
			Saved:   []SettingSaved{{"s.0", "<T>", []SettingText{{"s.0.ja", "ja", "<T>", "<T>"}}}, {Field: "s.1"}},
		})
	}
	return fields
}

func TestEveryPageWithSampleData(t *testing.T) {
	s := newSet(t)
	samples := sample()
	maps.Copy(samples, memberSamples())
	maps.Copy(samples, peopleSamples())
	frame := Frame{Tabs: []PageLink{{Href: "/p", Text: "<T>", Current: true}, {Href: "/q", Text: "x"}}, Title: `<T> "q"`, Site: "lists.example.jp", Path: "/a?b=c&d", User: "ann@example.jp",
		List: ListHead{Title: "JANOG", Href: "/janog/"}, Nav: []Link{{Href: "/-/my", Text: "<T>"}}, Flash: Flash{Text: "<T>", Action: "/-/undo/0", Button: "Undo"}, Crumbs: []Link{{Href: "/janog/2026-01/", Text: "2026-01"}}}
	for _, lang := range Languages() {
		for name := range s.pages[lang] {
			if len(samples[name]) == 0 {
				t.Errorf("page %s has no sample", name)
			}
			for i, view := range samples[name] {
				frame.Lang = lang
				var b bytes.Buffer
				if err := s.Page(&b, name, frame, view); err != nil {
					t.Errorf("%s %s %d: %v", lang, name, i, err)
					continue
				}
				checkHTML(t, name, b.String())
			}
		}
	}
}

// checkHTML fails on what the pages must not have, and on tags that are not closed in order.
func checkHTML(t *testing.T, name, page string) {
	t.Helper()
	for _, bad := range []string{"<script>", "style=", "ZgotmplZ", "<T>", "<no value>", "javascript:", " onclick"} {
		if strings.Contains(page, bad) {
			t.Errorf("page %s holds %q", name, bad)
		}
	}
	void := map[string]bool{"meta": true, "link": true, "br": true, "input": true}
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		switch tok := z.Token(); tok.Type {
		case html.StartTagToken:
			if !void[tok.Data] {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Errorf("page %s: </%s> while %v are open", name, tok.Data, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("page %s: %v are never closed", name, open)
	}
}

func TestMail(t *testing.T) {
	s := newSet(t)
	args := map[string]string{"list": "JANOG\r\nBcc: x@example.com", "address": "ann@example.jp", "days": "7", "url": "https://lists.example.jp/-/u/0", "owner": "janog-owner@lists.example.jp"}
	for _, lang := range Languages() {
		subject, body, err := s.Mail("undo", lang, args)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(subject, "\r\n") || !strings.Contains(subject, "JANOG") {
			t.Errorf("%s: subject %q", lang, subject)
		}
		if !strings.Contains(body, args["url"]) || strings.Contains(body, "{") {
			t.Errorf("%s: body %q", lang, body)
		}
	}
	delete(args, "url")
	if _, _, err := s.Mail("undo", "ja", args); err == nil {
		t.Error("a mail without a value for {url} is made")
	}
	if _, _, err := s.Mail("none", "ja", args); err == nil {
		t.Error("a mail that does not exist is made")
	}
}

// TestJSONIsDocumented reads docs/json.md for each field of the pages for programs.
func TestJSONIsDocumented(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("json.go")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := regexp.MustCompile("json:\"([a-z_]+)").FindAllSubmatch(source, -1)
	if len(fields) < 30 {
		t.Fatalf("only %d fields", len(fields))
	}
	for _, f := range fields {
		if !bytes.Contains(docs, []byte("`"+string(f[1])+"`")) && string(f[1]) != "error" {
			t.Errorf("docs/json.md does not name %s", f[1])
		}
	}
}

// TestJSONText looks at quotes, which have their marks again in the text for programs.
func TestJSONText(t *testing.T) {
	t.Parallel()
	b := Block{Kind: "quote", HTML: `a &lt;b&gt;<span class="soft">` + "\n</span>c\n<blockquote>d\n\n<a href=\"https://example.jp/\">e</a>\n</blockquote>f"}
	if got, want := b.text(), "> a <b>\n> c\n>> d\n>>\n>> e\n> f"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
