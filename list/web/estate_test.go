package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/smtpd/records"
	"kairan/storage"
)

// estate is a site with all the pages there are, and people of every role: ann is a member of janog, mod moderates and own owns it; other owns
// another list, and admin the site.
type estate struct {
	*world
	lw     *listtest.World
	site   *site
	routes *routes
	janog  *list.List
	who    map[string]*http.Cookie
	fill   *strings.Replacer // of the braces in a pattern
	token  map[string]string
}

const estateAdmin = "postmaster@" + listtest.Domain

func newEstate(t *testing.T) *estate {
	t.Helper()
	lw := listtest.New(t, nil)
	w := &world{t: t, db: lw.DB, arch: lw.Archive, lists: map[string]*list.List{}, site: lw.Site, set: lw.Path.Templates}
	o := Options{
		DB: lw.DB, Archive: lw.Archive, Site: lw.Site, Templates: lw.Path.Templates, Subscribe: lw.Workflow, Moderation: lw.Moderation, Path: lw.Path, Bounces: lw.Bounces,
		DNS: lw.DNS, Machine: records.Machine{Hostname: listtest.Domain, Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}},
		OIDC: &OIDC{Issuer: "https://id.test", ClientID: "kairan"},
	}
	e := &estate{world: w, lw: lw, site: newSite(o), who: map[string]*http.Cookie{}, token: map[string]string{}}
	e.routes = e.site.special()
	w.handler = e.site.handler()
	e.janog = lw.List("janog", nil)
	other := lw.List("other", nil)
	lw.Join(e.janog, list.RoleModerator, "mod@people.test")
	lw.Join(e.janog, list.RoleOwner, "own@people.test")
	lw.Join(other, list.RoleOwner, "other@people.test")
	for _, l := range []*list.List{e.janog, other} {
		for _, who := range []string{"ann@people.test", "bob@people.test"} {
			if token := w.join(l, who); l == e.janog {
				e.token[who] = token
			}
		}
	}
	w.post(e.janog, 1, "1@id.test", "one", "")
	e.waits(t)
	for _, who := range []string{"nobody", "ann", "mod", "own", "other"} {
		e.who[who] = w.login(who + "@people.test")
	}
	e.who["admin"] = w.login(estateAdmin)
	e.fill = strings.NewReplacer("{list}", "janog", "{$}", "", "{rule}", "too-large", "{next}", "asked", "{address}", "ann@people.test", "{mail}", "welcome",
		"{id}", "1@id.test", "{nth}", "1", "{do}", "hide", "{name}", "max_held")
	return e
}

// waits makes what waits for somebody: a post and a request, a change that falls back, a mail to be sent, and the tokens of mails.
func (e *estate) waits(t *testing.T) {
	t.Helper()
	now := time.Now()
	if _, err := e.lw.Path.Receive(t.Context(), e.lw.Envelope("zed@people.test", e.janog), []*list.List{e.janog}, listtest.CRLF(listtest.Post("zed@people.test", e.janog, "2@id.test", "two", "hello\n"))); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	err := errors.Join(
		e.lw.Moderation.HeldSubscription(ctx, subscribe.Held{List: e.janog, Action: "join", Address: address.Must("new@people.test")}),
		e.lw.Outbox.AddRendition(ctx, "notice-x", []byte("Subject: x\r\n\r\nx\r\n")),
	)
	if err != nil {
		t.Fatal(err)
	}
	pending := func(tx *storage.Tx, name, action, who string, data any) {
		b, err := json.Marshal(data)
		if err == nil {
			e.token[name], err = list.NewPending(tx, list.Pending{Action: action, List: e.janog.ID, Address: address.Must(who), Data: b, Created: now, Expires: now.Add(time.Hour)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	e.update(func(tx *storage.Tx) error {
		s := e.janog.Settings
		s.MaxHeld = 20
		_, err := list.Change(tx, e.janog.ID, s, list.Edit{By: "somebody@people.test", At: now, FallsBack: now.Add(time.Hour)})
		pending(tx, "confirm", "join", "joins@people.test", map[string]string{})
		pending(tx, "held", "moderate:x", "mod@people.test", map[string]any{"things": []string{e.onlyHeld(tx)}})
		link, linkErr := NewLoginLink(tx, e.lw.Site, address.Must("ann@people.test"), now)
		e.token["login"] = link[strings.LastIndex(link, "/")+1:]
		return errors.Join(err, linkErr, e.lw.Outbox.Enqueue(tx, "notice-x", []queue.Recipient{{Ref: listtest.Domain, To: address.Must("zed@people.test")}}), e.lw.Outbox.Seal(tx, "notice-x"))
	})
}

func (e *estate) onlyHeld(tx *storage.Tx) (id string) {
	for p := range list.HeldPosts(tx, e.janog.ID) {
		id = string(p.ID)
	}
	return id
}

// unlimited forgets how often was asked.
func (e *estate) unlimited() {
	e.site.limits, e.site.posts = newLimiter[netip.Prefix](attemptEvery, attempts), newLimiter[string](changeEvery, changes)
}

// path is an address of a pattern, "GET /-/x/{list}".
func (e *estate) path(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	token := "0123456789abcdef0123456789abcdef"
	for prefix, name := range map[string]string{"/-/u/": "ann@people.test", "/-/confirm/": "confirm", "/-/held/": "held", "/-/login/": "login"} {
		if strings.HasPrefix(path, prefix) {
			token = e.token[name]
		}
	}
	path = strings.ReplaceAll(path, "{token}", token)
	if path == "/-/static/" {
		path, _ = e.set.StaticURL("kairan.css")
	}
	return method, e.fill.Replace(path)
}
