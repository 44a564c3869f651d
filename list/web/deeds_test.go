package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/storage"
)

// deed is a form that does something, and whose name must stand in a log or a history afterwards.
type deed struct {
	by   string // "" for who has a token
	form url.Values
	name string // by which the log knows the actor, if not by the address
	// silent says why nothing is logged.
	silent string
}

// deeds are what can be done at each address.
func (e *estate) deeds() map[string]deed {
	item, revision := "", "1"
	e.update(func(tx *storage.Tx) error {
		item = "janog " + e.onlyHeld(tx)
		return nil
	})
	_, page := e.get("/-/admin/janog/texts/welcome", e.who["own"], "Accept-Language: en")
	texts := textFields(page)
	texts.Set("subject.en", "Hello from {list}")
	const (
		own     = "concerns nobody but who did it"
		reading = "changes nothing"
		session = "is about who is signed in"
	)
	return map[string]deed{
		"POST /-/lang":                              {silent: session},
		"POST /-/logout":                            {silent: session},
		"POST /-/login":                             {silent: session},
		"POST /-/login/code":                        {silent: session},
		"POST /-/login/{token}":                     {silent: session},
		"POST /-/login/oidc":                        {silent: session},
		"POST /-/login/passkey":                     {silent: session},
		"POST /-/login/passkey/answer":              {silent: session},
		"POST /-/my/sessions":                       {silent: session},
		"POST /-/my/passkeys":                       {silent: own},
		"POST /-/my/passkeys/add":                   {silent: own},
		"POST /-/my/addresses":                      {silent: own},
		"POST /-/my/erase":                          {silent: "forgets the histories"},
		"POST /-/never/{token}":                     {silent: own},
		"POST /-/my/addresses/confirm/{token}":      {silent: own},
		"POST /-/admin/{list}/settings":             {silent: reading},
		"POST /-/admin/{list}/settings/{name}":      {silent: reading},
		"POST /-/admin/{list}/texts/{mail}/preview": {silent: reading},
		"POST /-/site/texts/{mail}/preview":         {silent: reading},
		"POST /-/admin/{list}/members/add":          {silent: reading},
		"POST /-/admin/{list}/members/remove":       {silent: reading},
		"POST /-/my/address":                        {silent: "waits for two confirmations"},
		"POST /-/my/posts":                          {silent: "TestMyPosts"},
		"POST /-/moderate/undo":                     {silent: "TestModerateUndo"},
		"POST /-/admin/{list}/members/bulk/{token}": {silent: "TestBulkAdd"},
		"POST /-/admin/{list}/hidden":               {silent: "TestHidden"},
		"POST /-/admin/{list}/texts/{mail}/unset":   {silent: "TestTexts"},
		"POST /-/site/texts/{mail}/unset":           {silent: "TestSiteTexts"},
		"POST /-/undo/{token}":                      {silent: "TestUnsubscribeByHandAndUndo"},
		"POST /-/site/person/{address}/passkeys":    {silent: "TestHelpPerson"},

		"POST /-/u/{token}":                            {name: "ann@people.test", form: url.Values{"List-Unsubscribe": {"One-Click"}}},
		"POST /-/confirm/{token}":                      {name: "joins@people.test", form: url.Values{}},
		"POST /-/held/{token}":                         {name: "mod@people.test", form: url.Values{"post": {strings.TrimPrefix(item, "janog ")}, "word": {"discard"}}},
		"POST /-/join/{list}":                          {by: "other", form: url.Values{}},
		"POST /-/my/list/{list}":                       {by: "ann", form: url.Values{"delivery": {"off"}}},
		"POST /-/my/list/{list}/leave":                 {by: "ann", form: url.Values{}},
		"POST /-/my/list/{list}/move":                  {by: "ann", form: url.Values{"to": {"ann@work.test"}}},
		"POST /-/my/leave":                             {by: "ann", form: url.Values{}},
		"POST /-/moderate":                             {by: "mod", form: url.Values{"item": {item}, "word": {"accept"}}},
		"POST /-/admin/{list}/log":                     {by: "own", form: url.Values{"revision": {revision}}},
		"POST /-/admin/{list}/bans":                    {by: "own", form: url.Values{"do": {"ban"}, "entry": {"evil.test"}}},
		"POST /-/admin/{list}/pending":                 {silent: "TestPending"},
		"POST /-/admin/{list}/roles":                   {by: "own", form: url.Values{"do": {"give"}, "role": {"moderator"}, "address": {"ann@people.test"}}},
		"POST /-/admin/{list}/settings/save":           {by: "own", form: url.Values{"for": {"now"}, "revision": {revision}, "patch": {`{"max_held": 30}`}}},
		"POST /-/admin/{list}/settings/keep":           {by: "own", form: url.Values{"revision": {revision}}},
		"POST /-/admin/{list}/texts/{mail}":            {by: "own", form: texts},
		"POST /-/admin/{list}/member/{address}":        {by: "mod", form: url.Values{"delivery": {"enabled"}, "mode": {"regular"}, "action": {"hold"}}},
		"POST /-/message/{list}/{id}/{nth}/{do}":       {by: "mod", form: url.Values{}},
		"POST /-/admin/{list}/member/{address}/remove": {by: "own", form: url.Values{}},
		"POST /-/site/lists":                           {by: "admin", form: url.Values{"address": {"new@" + listtest.Domain}, "owners": {"own@people.test"}, "style": {"discussion"}, "language": {"ja"}}},
		"POST /-/site/list/{list}/rename":              {by: "admin", form: url.Values{"to": {"newer@" + listtest.Domain}}},
		"POST /-/site/list/{list}/remove":              {by: "admin", form: url.Values{"sure": {"yes"}}},
		"POST /-/site/queue":                           {by: "admin", form: url.Values{"key": {"people.test"}, "do": {"retry"}}},
		"POST /-/site/bans":                            {by: "admin", form: url.Values{"do": {"ban"}, "entry": {"evil.test"}}},
		"POST /-/site/texts/{mail}":                    {by: "admin", form: texts},
		"POST /-/site/person/{address}/lists":          {by: "admin", form: url.Values{"do": {"off"}, "place": {placeKey(e.janog, list.RoleMember, "ann@people.test")}}},
		"POST /-/site/person/{address}/addresses":      {by: "admin", form: url.Values{"do": {"add"}, "address": {"ann@home.test"}}},
		"POST /-/site/person/{address}/sessions":       {by: "admin", form: url.Values{"all": {"1"}}},
		"POST /-/site/person/{address}/ban":            {by: "admin", form: url.Values{"address": {"ann@people.test"}}},
		"POST /-/site/person/{address}/export":         {by: "admin", form: url.Values{}},
		"POST /-/site/person/{address}/erase":          {by: "admin", form: url.Values{"sure": {"ann@people.test"}}},
	}
}

// traces are the lines of all logs, and of the histories of the people of the estate.
func (e *estate) traces() (all []string) {
	e.update(func(tx *storage.Tx) error {
		all = nil
		ids := []list.ID{""}
		for l := range list.All(tx) {
			ids = append(ids, l.ID)
		}
		ids = append(ids, e.janog.ID)
		for _, id := range ids {
			for ev := range list.LogOf(tx, id) {
				all = append(all, string(id)+" "+ev.Stage+" "+ev.Text+" by <"+ev.By+">")
			}
			for _, who := range []string{"ann@people.test", "ann@work.test", "bob@people.test", "other@people.test", "joins@people.test"} {
				for ev := range list.MemberHistory(tx, id, address.Must(who)) {
					by := ev.By
					if by == "" {
						by = who
					}
					all = append(all, string(id)+" "+who+" "+ev.Stage+" "+ev.Text+" by <"+by+">")
				}
			}
		}
		return nil
	})
	return all
}

// TestDeedsAreLogged does what can be done at every address, and looks for the name of who did it.
func TestDeedsAreLogged(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	deeds := e.deeds()
	for _, pattern := range e.routes.patterns {
		if _, ok := deeds[pattern]; !ok && strings.HasPrefix(pattern, "POST ") {
			t.Errorf("nothing says what %q does", pattern)
		}
	}
	for pattern := range deeds {
		if !slices.Contains(e.routes.patterns, pattern) {
			t.Errorf("there is no address %q", pattern)
		}
		t.Run(strings.ReplaceAll(pattern, "/", "_"), func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			d := e.deeds()[pattern]
			if d.silent != "" {
				return
			}
			e.update(func(tx *storage.Tx) error {
				return list.PersonOf(tx, address.Must("ann@people.test")).AddAddress(tx, address.Must("ann@work.test"), time.Now())
			})
			var with []any
			name := d.name
			if d.by != "" {
				with = append(with, e.who[d.by])
				if name == "" {
					name = d.by + "@people.test"
				}
				if d.by == "admin" {
					name = estateAdmin
				}
			}
			before := e.traces()
			method, path := e.path(pattern)
			res := e.do(method, path, d.form.Encode()+"&x=x", with...)
			if res.StatusCode >= 400 {
				t.Fatalf("%s: %s\n%s", path, res.Status, bodyOf(t, res))
			}
			after := e.traces()
			for _, line := range before {
				if i := slices.Index(after, line); i >= 0 {
					after = slices.Delete(after, i, i+1)
				}
			}
			if !slices.ContainsFunc(after, func(line string) bool { return strings.HasSuffix(line, "by <"+name+">") }) {
				t.Errorf("no line of a log names %s: %q", name, after)
			}
		})
	}
}
