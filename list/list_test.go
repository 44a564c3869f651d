package list

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) *storage.DB { return storagetest.Open(t, Migrations()...) }

// update runs fn in a transaction and fails the test on an error.
func update(t testing.TB, db *storage.DB, fn func(tx *storage.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func create(t testing.TB, db *storage.DB, addr string) (l *List) {
	t.Helper()
	update(t, db, func(tx *storage.Tx) (err error) {
		l, err = Create(tx, address.Must(addr), DefaultSettings("ja"), noon)
		return err
	})
	return l
}

func TestNamesAreForEver(t *testing.T) {
	t.Parallel()
	db := open(t)
	first := create(t, db, "janog@lists.example.jp")
	second := create(t, db, "JANOG@lists.example.com")
	if first.Name != "janog" || second.Name != "janog@lists.example.com" {
		t.Errorf("names %q and %q", first.Name, second.Name)
	}
	err := db.Update(t.Context(), func(tx *storage.Tx) error {
		_, err := Create(tx, address.Must("Janog@lists.example.jp"), DefaultSettings("ja"), noon)
		return err
	})
	if !errors.Is(err, ErrExists) {
		t.Errorf("a second list of that address: %v", err)
	}
	update(t, db, func(tx *storage.Tx) error {
		return Rename(tx, first.ID, address.Must("netops@lists.example.jp"), Edit{At: noon})
	})
	update(t, db, func(tx *storage.Tx) error {
		for _, addr := range []string{"janog@lists.example.jp", "netops@lists.example.jp"} {
			l, err := ByAddress(tx, address.Must(addr))
			if err != nil || l.ID != first.ID {
				t.Errorf("ByAddress(%s) = %v, %v", addr, l, err)
			}
		}
		for _, name := range []string{"janog", "netops", "janog@lists.example.jp", "netops@lists.example.jp"} {
			l, err := ByName(tx, name)
			if err != nil || l.ID != first.ID || l.Name != "netops" {
				t.Errorf("ByName(%s) = %v, %v", name, l, err)
			}
		}
		l, err := Get(tx, first.ID)
		if err != nil || l.ListID() != "janog.lists.example.jp" {
			t.Errorf("after a rename the List-Id is %q, %v", l.ListID(), err)
		}
		return nil
	})
}

func TestListNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		addr string
		ok   bool
	}{
		{"a@example.jp", true},
		{strings.Repeat("a", MaxLocal) + "@example.jp", true},
		{strings.Repeat("a", MaxLocal+1) + "@example.jp", false},
		{"-a@example.jp", false},
		{"a+b@example.jp", false},
		{`"a b"@example.jp`, false},
		{"回覧@example.jp", false},
		{"a@[192.0.2.1]", false},
	} {
		if err := CheckAddress(address.Must(tt.addr)); (err == nil) != tt.ok {
			t.Errorf("CheckAddress(%s) = %v, want ok %v", tt.addr, err, tt.ok)
		}
	}
}

func TestNumbersAreNotBurnt(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "a@example.jp")
	next := func(tx *storage.Tx) uint64 {
		n, err := NextNumber(tx, l.ID)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	oops := errors.New("oops")
	if err := db.Update(t.Context(), func(tx *storage.Tx) error { next(tx); return oops }); !errors.Is(err, oops) {
		t.Fatal(err)
	}
	update(t, db, func(tx *storage.Tx) error {
		if n := next(tx); n != 1 {
			t.Errorf("the first number is %d", n)
		}
		return nil
	})
	update(t, db, func(tx *storage.Tx) error { return SetNumber(tx, l.ID, 12345) })
	update(t, db, func(tx *storage.Tx) error {
		if n := next(tx); n != 12346 {
			t.Errorf("after 12345 comes %d", n)
		}
		if err := SetNumber(tx, l.ID, 12345); err == nil {
			t.Error("the counter went back")
		}
		return nil
	})
}

func TestMembership(t *testing.T) {
	t.Parallel()
	db := open(t)
	l, other := create(t, db, "a@example.jp"), create(t, db, "b@example.jp")
	ann := address.Must("Ann@example.jp")
	update(t, db, func(tx *storage.Tx) error {
		return errors.Join(
			Join(tx, Member{List: l.ID, Role: RoleMember, Address: ann, Joined: noon}),
			Join(tx, Member{List: l.ID, Role: RoleOwner, Address: ann, Joined: noon}),
			Join(tx, Member{List: other.ID, Role: RoleMember, Address: ann, Joined: noon}),
		)
	})
	if err := db.Update(t.Context(), func(tx *storage.Tx) error {
		return Join(tx, Member{List: l.ID, Role: RoleMember, Address: address.Must("ann@EXAMPLE.jp")})
	}); !errors.Is(err, ErrExists) {
		t.Errorf("joined twice: %v", err)
	}
	var token string
	update(t, db, func(tx *storage.Tx) error {
		m, err := GetMember(tx, l.ID, RoleMember, address.Must("ann@example.jp"))
		if err != nil || m.Address != ann || len(m.Token) != 32 {
			t.Fatalf("member %+v, %v", m, err)
		}
		token = m.Token
		m.NoOwnPosts, m.Token = true, "changed by mistake"
		return SetMember(tx, *m)
	})
	update(t, db, func(tx *storage.Tx) error {
		gone, m, err := LeaveByToken(tx, token, noon)
		if err != nil || gone.ID != l.ID || !m.NoOwnPosts {
			t.Errorf("leave: %v %v %v", gone, m, err)
		}
		if _, _, err := LeaveByToken(tx, token, noon); !errors.Is(err, ErrLeft) {
			t.Errorf("leave again: %v", err)
		}
		if _, _, err := LeaveByToken(tx, "unknown", noon); !errors.Is(err, ErrNotMember) {
			t.Errorf("unknown token: %v", err)
		}
		return nil
	})
	var left []string
	update(t, db, func(tx *storage.Tx) error {
		for id, role := range Memberships(tx, ann) {
			l, _ := Get(tx, id)
			left = append(left, l.Address.String()+" "+string(role))
		}
		return nil
	})
	slices.Sort(left)
	if diff := cmp.Diff([]string{"a@example.jp owner", "b@example.jp member"}, left); diff != "" {
		t.Error(diff)
	}
}

func TestVERP(t *testing.T) {
	t.Parallel()
	v := NewVERP([]byte("a secret of the site"))
	l := &List{ID: "0abc", Address: address.Must(strings.Repeat("a", MaxLocal) + "@example.jp")}
	token := NewToken()
	sender := v.Sender(l, 12345, token)
	if n := len(sender.Local()); n > 64 {
		t.Errorf("the local part has %d octets", n)
	}
	_, text, _ := strings.Cut(sender.Local(), "+")
	for _, form := range []string{text, strings.ToUpper(text)} {
		n, tag, err := v.Parse(l, form)
		if err != nil || n != 12345 || !strings.HasPrefix(TokenHash(token), tag) {
			t.Errorf("Parse(%s) = %d, %s, %v", form, n, tag, err)
		}
	}
	forged := []byte(text)
	forged[0] ^= 1
	for _, bad := range []string{string(forged), "", "x", text + "a", text[:20]} {
		if _, _, err := v.Parse(l, bad); err == nil {
			t.Errorf("Parse(%q) is taken for ours", bad)
		}
	}
	if _, _, err := v.Parse(&List{ID: "other"}, text); err == nil {
		t.Error("a token of one list is good for another")
	}
}

func TestSettingsCheck(t *testing.T) {
	t.Parallel()
	sound := DefaultSettings("en")
	sound.SubjectPrefix = "[janog:%05d] "
	if err := sound.Check(); err != nil {
		t.Errorf("sound settings: %v", err)
	}
	for name, spoil := range map[string]func(*Settings){
		"preferred_language":       func(s *Settings) { s.PreferredLanguage = "fr" },
		"subject_prefix":           func(s *Settings) { s.SubjectPrefix = "[%s] " },
		"reply_goes_to_list":       func(s *Settings) { s.ReplyGoesToList = "yes" },
		"reply_to_address":         func(s *Settings) { s.ReplyGoesToList = "explicit" },
		"archive_policy":           func(s *Settings) { s.ArchivePolicy = "secret" },
		"default_member_action":    func(s *Settings) { s.DefaultMemberAction = "defer" },
		"default_nonmember_action": func(s *Settings) { s.DefaultNonmemberAction = "" },
		"unauthenticated_action":   func(s *Settings) { s.UnauthenticatedAction = "accept" },
		"max_message_size":         func(s *Settings) { s.MaxMessageSize = -1 },
		"ban_list":                 func(s *Settings) { s.BanList = []string{"ok@example.jp", "^("} },
		"header_matches":           func(s *Settings) { s.HeaderMatches = []HeaderMatch{{Header: "X-A", Pattern: "(", Action: Hold}} },
		"display_name":             func(s *Settings) { s.DisplayName = "a\r\nBcc: b" },
	} {
		s := sound
		spoil(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s spoilt: %v", name, err)
		}
	}
}

func TestReadRoster(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []string
		repeated int
	}{
		{"lines", "\ufeffb@example.jp\r\n# nobody\n\n Ann <a@example.jp>\nB@example.jp\n", []string{"a@example.jp Ann  ", "b@example.jp   "}, 1},
		{"csv", "address,display_name,language,delivery_status\na..b@carrier.example.jp,\"花子, 山田\",ja,by_user\n", []string{"a..b@carrier.example.jp 花子, 山田 ja by_user"}, 0},
	} {
		r, err := ReadRoster(strings.NewReader(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, n := range r.rows {
			a := about{}
			if n.about != nil {
				a = *n.about
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", n.exact(), a.name, a.language, a.status))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || r.Repeated != tt.repeated {
			t.Errorf("%s: %d repeated\n%s", tt.name, r.Repeated, diff)
		}
	}
}

func TestReadRosterTellsEveryBadLine(t *testing.T) {
	t.Parallel()
	_, err := ReadRoster(strings.NewReader("a@example.jp\nno address\nb@example.jp\n@\n"))
	for _, want := range []string{"line 2:", "line 4:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
	_, err = ReadRoster(strings.NewReader("address,language\na@example.jp,ja\nb@example.jp,fr\n"))
	if err == nil || !strings.Contains(err.Error(), "line 3:") {
		t.Errorf("csv: %v", err)
	}
	_, err = ReadRoster(strings.NewReader("address,colour\na@example.jp,red\n"))
	if err == nil || !strings.Contains(err.Error(), `"colour"`) {
		t.Errorf("unknown column: %v", err)
	}
}

func TestImportIsResumable(t *testing.T) {
	t.Parallel()
	db := open(t)
	l := create(t, db, "a@example.jp")
	var b strings.Builder
	for i := range 249 {
		fmt.Fprintf(&b, "user%d@example.jp\n", i)
	}
	b.WriteString("Ann..Capital@Example.jp\n")
	for run, want := range []int{250, 0} {
		r, err := ReadRoster(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		joined, _, err := r.Import(t.Context(), db, l.ID, Importing{Edit: Edit{At: noon}})
		if err != nil || joined != want {
			t.Errorf("run %d: %d joined, %v", run, joined, err)
		}
	}
	n, exact := 0, false
	update(t, db, func(tx *storage.Tx) error {
		for _, m := range Members(tx, l.ID, RoleMember, "") {
			if id, key, left, err := ByToken(tx, m.Token); err != nil || id != l.ID || key != m.Address.Key() || !left.IsZero() {
				t.Fatalf("%s is not found by its token: %v", m.Address, err)
			}
			n++
			exact = exact || m.Address.String() == "Ann..Capital@example.jp"
		}
		return nil
	})
	if n != 250 || !exact {
		t.Errorf("%d members; an address as it was written: %v", n, exact)
	}
}

func BenchmarkImport500k(b *testing.B) {
	var text strings.Builder
	for i := range 500_000 {
		fmt.Fprintf(&text, "user%06d@isp%d.example.jp\n", i*7919%500_000, i%40)
	}
	for b.Loop() {
		db := open(b)
		r, err := ReadRoster(strings.NewReader(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := r.Import(b.Context(), db, "0abc", Importing{Edit: Edit{At: noon}}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	db := open(t)
	ann := Pending{Action: "join", List: "0abc", Address: address.Must("ann@example.jp"), Created: noon, Expires: noon.Add(PendingLife)}
	ask := func(p Pending) (token string, err error) {
		err = db.Update(t.Context(), func(tx *storage.Tx) error { token, err = NewPending(tx, p); return err })
		return token, err
	}
	take := func(token string, now time.Time) (p *Pending, err error) {
		err = db.Update(t.Context(), func(tx *storage.Tx) error { p, err = TakePending(tx, token, now); return err })
		return p, err
	}
	token, err := ask(ann)
	if err != nil || len(token) != 32 {
		t.Fatalf("token %q, %v", token, err)
	}
	if _, err := ask(ann); !errors.Is(err, ErrPending) {
		t.Errorf("asked twice: %v", err)
	}
	leave := ann
	leave.Action = "leave"
	if _, err := ask(leave); err != nil {
		t.Errorf("another action: %v", err)
	}
	if p, err := take(token, noon.Add(time.Hour)); err != nil || p.Address != ann.Address || p.Action != "join" {
		t.Errorf("take: %+v, %v", p, err)
	}
	if _, err := take(token, noon.Add(time.Hour)); !errors.Is(err, ErrToken) {
		t.Errorf("taken twice: %v", err)
	}
	token, err = ask(ann)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(token, ann.Expires); !errors.Is(err, ErrToken) {
		t.Errorf("taken too late: %v", err)
	}
	again := ann
	again.Created, again.Expires = ann.Expires, ann.Expires.Add(time.Hour)
	if _, err := ask(again); err != nil {
		t.Errorf("after the first is too old: %v", err)
	}
	update(t, db, func(tx *storage.Tx) error {
		n, err := ForgetPending(tx, again.Expires, 10)
		if n != 2 {
			t.Errorf("%d forgotten", n)
		}
		return err
	})
}
