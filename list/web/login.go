package web

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

const (
	linkLife    = 15 * time.Minute
	tokenLength = 32 // hexadecimal digits
	codeLength  = 8  // decimal digits
	maxTries    = 5  // of a code
)

// loginCode is the short form of a link, for the browser that asked.
type loginCode struct {
	Code  string    `json:"code"` // hash of the browser's secret with the code
	Link  string    `json:"link"` // key of the link
	Tries int       `json:"tries,omitempty"`
	Until time.Time `json:"until"`
}

func (c loginCode) ended(now time.Time) bool { return now.After(c.Until) }

var loginCodes = storage.NewTable[string, loginCode]("login_codes", storage.Strings[string]()) // by the hash of the browser's secret

// NewLoginLink returns the address of a page that signs addr in, in any browser. It works once, within 15 minutes of now.
func NewLoginLink(tx *storage.Tx, s *list.Site, addr address.Address, now time.Time) (string, error) {
	if addr.IsNull() {
		return "", errors.New("a login link needs an address")
	}
	token := list.NewToken()
	err := errors.Join(list.ForgetLoginLinks(tx, now), list.PutLoginLink(tx, list.TokenHash(token), list.LoginLink{Address: addr, Until: now.Add(linkLife)}))
	if err != nil {
		return "", fmt.Errorf("login link for %s: %w", addr, err)
	}
	return s.URL + "/-/login/" + token, nil
}

// usable returns the link with that key, or storage.ErrNotFound.
func usable(tx *storage.Tx, key string, now time.Time) (list.LoginLink, error) {
	g, err := list.GetLoginLink(tx, key)
	if err == nil && (g.Ended(now) || g.Address.IsNull()) {
		return list.LoginLink{}, storage.ErrNotFound
	}
	return g, err
}

// asked reports whether a request comes from the browser that asked for a link.
func (s *site) asked(r *http.Request, g list.LoginLink) bool {
	if g.Browser == "" {
		return true
	}
	c, err := r.Cookie(s.cookieName("login"))
	return err == nil && subtle.ConstantTimeCompare([]byte(list.TokenHash(c.Value)), []byte(g.Browser)) == 1
}

// loginAsk is the form that asks for a link.
func (s *site) loginAsk(w http.ResponseWriter, r *http.Request) error {
	view := templates.Login{State: "ask", To: afterLogin(r.URL.Query().Get("to"))}
	return s.loginPage(w, r, http.StatusOK, view)
}

// requestLogin mails a link, if the address is known here. The answer is the same in any case, and so is the work but for the mail.
func (s *site) requestLogin(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	f := templates.FrameOf(r.Context())
	to := afterLogin(form.Get("to"))
	addr, err := address.Parse(strings.TrimSpace(form.Get("address")))
	if err != nil {
		view := templates.Login{State: "ask", To: to, Address: form.Get("address"), Wrong: s.Templates.T(f.Lang, "login.bad-address")}
		return s.loginPage(w, r, http.StatusUnprocessableEntity, view)
	}
	browser := list.NewToken()
	now := time.Now()
	_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
		if err := s.sweep(tx, now); err != nil {
			return subscribe.Result{}, err
		}
		return s.newLogin(tx, list.LoginLink{Address: addr, Until: now.Add(linkLife), To: to}, browser, now)
	})
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie("login", browser, int(linkLife.Seconds())))
	return s.done(w, r, "/-/login/code", templates.Flash{Text: s.Templates.T(f.Lang, "login.asked", "address", addr)})
}

// newLogin makes a link and a code for a browser, and the mail with both if the address may have it.
func (s *site) newLogin(tx *storage.Tx, g list.LoginLink, browser string, now time.Time) (subscribe.Result, error) {
	res := subscribe.Result{State: subscribe.Asked}
	through, addr, err := s.Subscribe.SignsFor(tx, g.Address)
	if err != nil {
		return res, err
	}
	may, err := subscribe.MaySignIn(tx, addr, through != nil, now)
	if err != nil {
		return res, err
	}
	if g.Address = addr; through == nil || !may {
		g.Address = address.Address{}
	}
	g.Browser = list.TokenHash(browser)
	token, code := list.NewToken(), newCode()
	if err := errors.Join(
		list.PutLoginLink(tx, list.TokenHash(token), g),
		loginCodes.Put(tx, g.Browser, loginCode{Code: list.TokenHash(browser + code), Link: list.TokenHash(token), Until: g.Until}),
	); err != nil || g.Address.IsNull() {
		return res, err
	}
	n, err := s.Subscribe.Letter(tx, subscribe.Letter{List: through, To: addr, Name: "login", Args: map[string]string{
		"site":    s.Site.Hostname,
		"link":    s.Site.URL + "/-/login/" + token,
		"code":    code[:codeLength/2] + " " + code[codeLength/2:],
		"expires": g.Until.In(s.Site.Location).Format("15:04 MST"),
	}})
	n.From = s.Site.Mailbox(through)
	res.List, res.Mails = through, append(res.Mails, n)
	return res, err
}

// newCode returns a random code.
func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(100_000_000)) // crypto/rand does not fail
	return fmt.Sprintf("%0*d", codeLength, n)
}

// codeForm is the page after asking: it waits for the code.
func (s *site) codeForm(w http.ResponseWriter, r *http.Request) error {
	if _, err := r.Cookie(s.cookieName("login")); err != nil {
		http.Redirect(w, r, "/-/login", http.StatusSeeOther)
		return nil
	}
	return s.loginPage(w, r, http.StatusOK, templates.Login{State: "code"})
}

// errElsewhere says that a link was opened in another browser than the one that asked for it.
var errElsewhere = errors.New("another browser")

// enterCode signs in by the code.
func (s *site) enterCode(w http.ResponseWriter, r *http.Request) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	c, err := r.Cookie(s.cookieName("login"))
	if err != nil || len(c.Value) != tokenLength {
		return s.loginPage(w, r, http.StatusNotFound, templates.Login{State: "bad"})
	}
	var link string
	wrong := false
	now := time.Now()
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		link, wrong = "", false
		row, err := loginCodes.Get(tx, list.TokenHash(c.Value))
		if err != nil {
			return err
		}
		if row.ended(now) || row.Tries >= maxTries {
			return storage.ErrNotFound
		}
		given := list.TokenHash(c.Value + digits(form.Get("code")))
		if subtle.ConstantTimeCompare([]byte(given), []byte(row.Code)) == 1 {
			link = row.Link
			return nil
		}
		wrong = true
		row.Tries++
		return loginCodes.Put(tx, list.TokenHash(c.Value), row)
	})
	f := templates.FrameOf(r.Context())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return s.loginPage(w, r, http.StatusNotFound, templates.Login{State: "bad"})
	case err != nil:
		return err
	case wrong:
		return s.loginPage(w, r, http.StatusUnprocessableEntity, templates.Login{State: "code", Wrong: s.Templates.T(f.Lang, "login.bad-code")})
	}
	return s.signIn(w, r, link)
}

// digits returns the ASCII digits of what somebody typed; an input method may have written them in full width.
func digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, typed)
}

// loginForm shows the button. Opening the link signs nobody in: programs that check links in mails open it too.
func (s *site) loginForm(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	var g list.LoginLink
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		g, err = usable(tx, list.TokenHash(r.PathValue("token")), time.Now())
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return s.loginPage(w, r, http.StatusNotFound, templates.Login{State: "bad"})
	case err != nil:
		return err
	case !s.asked(r, g):
		return s.loginPage(w, r, http.StatusOK, templates.Login{State: "elsewhere"})
	}
	return s.loginPage(w, r, http.StatusOK, templates.Login{State: "confirm", Address: g.Address.String(), Action: r.URL.EscapedPath()})
}

// login is the button of a link.
func (s *site) login(w http.ResponseWriter, r *http.Request) error {
	if !s.limits.allow(network(s.clientIP(r))) {
		return errTooMany
	}
	return s.signIn(w, r, list.TokenHash(r.PathValue("token")))
}

// signIn uses the link with that key up and begins a session.
func (s *site) signIn(w http.ResponseWriter, r *http.Request, key string) error {
	now := time.Now()
	var cookie string
	var g list.LoginLink
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		if g, err = usable(tx, key, now); err != nil {
			return err
		}
		if !s.asked(r, g) {
			return errElsewhere
		}
		if err := errors.Join(s.sweep(tx, now), list.DropLoginLink(tx, key)); err != nil {
			return err
		}
		if g.Browser != "" {
			if err := loginCodes.Delete(tx, g.Browser); err != nil {
				return err
			}
		}
		cookie, err = s.beginSession(tx, r, g.Address, now)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return s.loginPage(w, r, http.StatusNotFound, templates.Login{State: "bad"})
	case errors.Is(err, errElsewhere):
		return s.loginPage(w, r, http.StatusForbidden, templates.Login{State: "elsewhere"})
	case err != nil:
		return err
	}
	s.Log.Info("signed in", "address", g.Address.String())
	s.setSession(w, cookie, int(sessionLife.Seconds()))
	if g.Browser != "" {
		http.SetCookie(w, s.cookie("login", "", -1))
	}
	http.Redirect(w, r, afterLogin(g.To), http.StatusSeeOther)
	return nil
}

func (s *site) loginPage(w http.ResponseWriter, r *http.Request, status int, view templates.Login) error {
	f := templates.FrameOf(r.Context())
	f.Private = true
	f.Title = s.Templates.T(f.Lang, "login.title")
	view.ByMail, view.Passkeys, view.Directory = s.Subscribe != nil, s.passkeys != nil, s.directoryName()
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "login", Frame: f, View: view})
}
