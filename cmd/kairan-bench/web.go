package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/storage/bolt"
)

// How much the pages of those who run lists have to show.
const (
	banned = 1000 // entries of a ban list, each of a day of its own
	held   = 1000 // posts that wait for a moderator
)

// webGoal is within how many milliseconds 99 of 100 pages are to come.
const webGoal = 50

// admins is a site with two lists, whose owner is signed in and reads their pages one after the other.
type admins struct {
	*daemon
	cookie string
	keys   map[string][]string // of the members of a list, by its name
}

// web measures the pages of those who run a list: of 7,000 members and of 500,000.
func (b *bench) web(ctx context.Context) error {
	small, huge := b.small(), b.huge()
	small.set = []string{"default_member_action=hold", "admin_immed_notify=false", "max_held=0", "max_held_per_sender=0"}
	s, err := b.newSite()
	if err != nil {
		return err
	}
	a := &admins{keys: map[string][]string{}}
	for _, l := range []roster{small, huge} {
		if err := s.create(ctx, l); err != nil {
			return err
		}
		if _, _, err := s.fill(ctx, l); err != nil {
			return err
		}
		a.keys[l.name()] = slices.Sorted(slices.Values(members(l.members)))
	}
	if err := s.ban(ctx, small, b.scaled(banned)); err != nil {
		return err
	}
	if a.daemon, err = s.start(ctx); err != nil {
		return err
	}
	defer func() { a.stop(syscall.SIGKILL) }()
	if err := a.hold(ctx, small, b.scaled(held)); err != nil {
		return err
	}
	if err := a.signIn(ctx); err != nil {
		return err
	}
	for _, l := range []roster{small, huge} {
		for _, p := range a.pagesOf(l) {
			if err := a.measure(ctx, fmt.Sprintf("%d members: %s", l.members, p[0]), p[1]); err != nil {
				return err
			}
		}
		if err := a.download(ctx, l); err != nil {
			return err
		}
	}
	for _, p := range [][2]string{
		{fmt.Sprintf("bans page with %d entries", b.scaled(banned)), "/-/admin/small/bans"},
		{"the same, one of them looked for", "/-/admin/small/bans?q=spammer7%40"},
		{fmt.Sprintf("queue with %d held posts", b.scaled(held)), "/-/moderate"},
		{"the same, the riskiest first", "/-/moderate?order=risk"},
		{"the same, its middle", fmt.Sprintf("/-/moderate?p=%d", 1+b.scaled(held)/20)},
		{"the owner's own page", "/-/admin/"},
	} {
		if err := a.measure(ctx, p[0], p[1]); err != nil {
			return err
		}
	}
	return a.stop(syscall.SIGTERM)
}

// name is the list's in the addresses of pages.
func (l roster) name() string { name, _, _ := strings.Cut(l.address, "@"); return name }

// pagesOf are the pages about a list, and their addresses.
func (a *admins) pagesOf(l roster) (pages [][2]string) {
	at, keys := "/-/admin/"+l.name()+"/", a.keys[l.name()]
	after := func(n int) string { return at + "members?after=" + url.QueryEscape(keys[max(0, n)]) }
	pages = [][2]string{
		{"first page", at + "members"}, {"middle page", after(len(keys) / 2)}, {"last page", after(len(keys) - 51)},
		{"backwards from the middle", at + "members?before=" + url.QueryEscape(keys[len(keys)/2])},
		{"an address that is not there", at + "members?q=nobody%40nowhere.example"},
		{"the beginning of one that is not there", at + "members?q=nobody%40nowhere.example&from=start"},
		{"the beginning of one that is", at + "members?from=start&q=" + url.QueryEscape(keys[len(keys)-1])},
	}
	for _, filter := range []string{"delivery=enabled", "delivery=by_bounces", "mode=mime_digests", "action=hold", "action=default"} {
		pages = append(pages, [2]string{filter, at + "members?" + filter})
	}
	pages = append(pages, [2]string{"a member", at + "member/" + url.PathEscape(keys[len(keys)/2])}, [2]string{"nonmembers", at + "members?role=nonmember"})
	for _, page := range []string{"pending", "health", "settings", "log", "roles"} {
		pages = append(pages, [2]string{page, at + page})
	}
	return pages
}

// ban fills a ban list, an entry after the other, as an owner does over the years.
func (s *site) ban(ctx context.Context, l roster, n int) (err error) {
	engine, files, err := bolt.Open(filepath.Join(s.dir, "data"))
	if err != nil {
		return err
	}
	db, err := storage.New(ctx, engine, files, list.Migrations())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Update(ctx, func(tx *storage.Tx) error {
		found, err := list.ByAddress(tx, address.Must(l.address))
		if err != nil {
			return err
		}
		for i := range n {
			e := list.Edit{By: "owner@example.jp", At: time.Now().AddDate(0, 0, i-n), Why: "advertises"}
			if _, err := list.Ban(tx, found.ID, fmt.Sprintf("spammer%d@spam%d.example.net", i, i%97), e); err != nil {
				return err
			}
		}
		return nil
	})
}

// hold posts to a list that lets no post pass.
func (a *admins) hold(ctx context.Context, l roster, n int) error {
	p, err := newPoster(ctx, a.smtp, "EHLO")
	if err != nil {
		return a.failed(err, nil)
	}
	defer p.Close()
	for range n {
		if _, _, err := p.post(l.address); err != nil {
			return a.failed(err, nil)
		}
	}
	return nil
}

var loginLink = regexp.MustCompile(`/-/login/\S+`)

// signIn begins a session of the owner.
func (a *admins) signIn(ctx context.Context) error {
	out, err := a.command(ctx, "login", "owner@example.jp").Output()
	if err != nil {
		return fmt.Errorf("kairan login: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.http+loginLink.FindString(string(out)), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for _, c := range answer.Cookies() {
		if strings.HasSuffix(c.Name, "session") {
			a.cookie = c.Name + "=" + c.Value
		}
	}
	if a.cookie == "" {
		return fmt.Errorf("sign in: %s", answer.Status)
	}
	return nil
}

// measure reads a page again and again, and beside it one of the same size that is always the same.
func (a *admins) measure(ctx context.Context, name, path string) error {
	var times durations
	var page []byte
	c, err := a.b.spend(a.daemon, func() (took time.Duration, err error) {
		times, page, err = a.again(ctx, a.http, path)
		return 0, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "page.html", time.Time{}, bytes.NewReader(page))
	})}
	go server.Serve(l) // ends with Close
	defer server.Close()
	floor, _, err := a.again(ctx, l.Addr().String(), "/")
	if err != nil {
		return err
	}
	both := func(d durations) string { return short(d.at(0.5)) + ", " + short(d.at(0.99)) }
	measured := both(times) + "; " + short(c.per(1+len(times)).kairan())
	a.b.say("  %s: %s (%d KB; as a file %s)", name, measured, (len(page)+512)>>10, both(floor))
	a.b.table.add(row{figure: fmt.Sprintf("%s, p50, p99; processor time (%d KB)", name, (len(page)+512)>>10), measured: measured, floor: both(floor),
		ratio: float64(times.at(0.99)) / float64(time.Millisecond), goal: webGoal, unit: " ms"})
	return nil
}

// again reads a page over one connection, a hundred times for each run, or less often if that takes more than a second, and returns how long each
// took, and the page.
func (a *admins) again(ctx context.Context, addr, path string) (times durations, page []byte, err error) {
	c, err := connect(ctx, addr)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	c.cookie = a.cookie
	start := time.Now()
	for n := range 1 + 100*a.b.runs {
		begin := time.Now()
		if n > 20 && begin.Sub(start) > time.Second {
			break
		}
		body, status, err := c.get(path, false)
		if err != nil {
			return nil, nil, err
		}
		if status != http.StatusOK {
			return nil, nil, fmt.Errorf("%s: status %d", path, status)
		}
		if n > 0 { // the first warms up
			times = append(times, time.Since(begin))
		}
		page = body
	}
	return times, bytes.Clone(page), nil
}

// download takes the members as CSV, and looks at the memory that it took.
func (a *admins) download(ctx context.Context, l roster) error {
	before := a.memory.soFar()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.http+"/-/admin/"+l.name()+"/members/export", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", a.cookie)
	begin := time.Now()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var lines lineCounter
	if _, err := io.Copy(&lines, answer.Body); err != nil {
		return err
	}
	took := time.Since(begin)
	if lines.n != l.members+1 {
		return fmt.Errorf("the CSV of %d members has %d lines", l.members, lines.n)
	}
	a.b.table.add(row{figure: fmt.Sprintf("%d members as CSV (%d KB)", l.members, lines.bytes>>10), measured: short(took)})
	a.b.table.bytes(fmt.Sprintf("peak anonymous memory more than before, of %d members as CSV", l.members), a.memory.soFar()-before, 20)
	return nil
}

// lineCounter counts what is written to it.
type lineCounter struct{ n, bytes int }

func (c *lineCounter) Write(b []byte) (int, error) {
	c.n += bytes.Count(b, []byte("\n"))
	c.bytes += len(b)
	return len(b), nil
}
