package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	listweb "kairan/list/web"
	"kairan/smtpd/address"
	"kairan/storage"
)

// keyring is a browser's authenticator, as DevTools plays one.
type keyring struct {
	*tab
	id webauthn.AuthenticatorID
}

// devtool sends a command of DevTools.
func devtool[P, R any](p *tab, command cdp.Command[P, R], params P) (result R) {
	p.Helper()
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
		result, err = cdp.Call(ctx, target, command, params)
		return err
	}))
	return result
}

// plug gives the window an authenticator with a fingerprint reader.
func (k *keyring) plug() {
	k.Helper()
	k.id = devtool(k.tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		HasCmtgKey: true, Ctap2version: webauthn.Ctap2versionCtap21, // AddCredential asks for it
	}}).AuthenticatorID
}

func (k *keyring) unplug() {
	k.Helper()
	devtool(k.tab, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: k.id})
}

// credential returns the only passkey, counter and all.
func (k *keyring) credential() *webauthn.Credential {
	k.Helper()
	all := devtool(k.tab, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: k.id}).Credentials
	if len(all) != 1 {
		k.Fatalf("%d passkeys", len(all))
	}
	return all[0]
}

// hold puts a passkey in the place of what the authenticator has, with its counter at n.
func (k *keyring) hold(c *webauthn.Credential, n float64) {
	k.Helper()
	devtool(k.tab, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: k.id})
	devtool(k.tab, webauthn.AddCredential, webauthn.AddCredentialParams{AuthenticatorID: k.id, Credential: &webauthn.Credential{
		CredentialID: c.CredentialID, IsResidentCredential: true, RpID: c.RpID, PrivateKey: c.PrivateKey, UserHandle: c.UserHandle, SignCount: n,
	}})
}

// use presses a button whose page goes on by itself, and waits for the page after it, which has something at the selector.
func (k *keyring) use(button, selector string) {
	k.Helper()
	k.do(chromedp.Click(chromedp.CSS(button)), chromedp.WaitVisible(chromedp.CSS(selector)))
	k.audit(button)
	for _, m := range k.caught() {
		k.Errorf("%s: %s", button, m)
	}
}

// passkeySite is the demo's site at a domain name, which passkeys need, behind several ports. The first is a directory to sign in by, too,
// which keeps its visitors waiting.
func passkeySite(t *testing.T, d *demo, ports int) (sites []string) {
	t.Helper()
	var handler http.Handler
	for range ports {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		sites = append(sites, "http://localhost:"+port)
	}
	proxies, err := parseNetworks(d.app.Config.HTTP.TrustedProxies)
	if err != nil {
		t.Fatal(err)
	}
	site := *d.app.Site
	site.URL = sites[0]
	pages := listweb.New(listweb.Options{
		DB: d.app.DB, Archive: d.app.Archive, Site: &site, Templates: d.app.Templates, Subscribe: d.app.Subscribe, Log: d.app.Log,
		TrustedProxies: proxies, OIDC: &listweb.OIDC{Issuer: sites[0], ClientID: "kairan", Name: "Example ID"},
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": %q, "token_endpoint": %q, "jwks_uri": %q}`, sites[0], sites[0]+"/wait", sites[0]+"/t", sites[0]+"/k")
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("/", pages)
	handler = mux
	return sites
}

// passkeys adds a passkey, signs in with it, and sees a copy of it and another origin refused.
func passkeys(t *testing.T, browser context.Context, d *demo) {
	sites := passkeySite(t, d, 2)
	for i, v := range []view{{width: 1200, lang: "ja"}, {width: 390, lang: "en", dark: true}} {
		t.Run(v.String(), func(t *testing.T) {
			who := []string{"yui@example.jp", "keita@isp.test"}[i]
			k := &keyring{tab: newTab(t, browser, sites[0], v)}
			k.axeScript = needAxe(t)
			devtool(k.tab, webauthn.Enable, webauthn.EnableParams{})
			k.signInAs(d, who)

			// The browser has nowhere to keep a passkey at first, so that the page waits.
			k.follow(`main a[href="/-/my/passkeys"]`)
			k.shoot("passkeys-none")
			k.fill(`#name`, `My "key" <T>`)
			k.follow(`main button[value=add]`)
			k.shoot("passkey-add")
			k.open("/-/my/passkeys", 200)
			k.plug()
			k.fill(`#name`, `My "key" <T>`)
			k.use(`main button[value=add]`, `.rows button[value=remove]`)
			k.sees(`My "key" <T>`)
			k.shoot("passkeys")
			d.mailTo(t, who, `My "key" <T>`)
			fresh := k.credential()

			// Signed out, and in again.
			for range 2 {
				k.follow(`form[action="/-/logout"] button`)
				k.open("/-/login?to=%2F-%2Fmy%2Fpasskeys", 200)
				k.shoot("login-passkey")
				k.use(`form[action="/-/login/passkey"] button`, `.rows button[value=remove]`)
				k.sees(who, `My "key" <T>`)
			}
			k.shoot("passkeys-used")
			worn := k.credential()
			if fresh.SignCount >= worn.SignCount {
				t.Fatalf("the counter went from %v to %v", fresh.SignCount, worn.SignCount)
			}
			k.follow(`form[action="/-/logout"] button`)

			// Another origin of the same domain asks for it, and hands the answer over.
			thief := &keyring{tab: newTab(t, browser, sites[1], v)}
			devtool(thief.tab, webauthn.Enable, webauthn.EnableParams{})
			thief.plug()
			thief.hold(worn, worn.SignCount)
			thief.refused()
			if log, err := os.ReadFile(d.logFile()); err != nil || !strings.Contains(string(log), "validating origin") {
				t.Errorf("another origin was not the reason: %v", err)
			}
			thief.unplug()

			// A copy that was made when the key was new.
			k.hold(fresh, fresh.SignCount)
			k.refused()
			k.shoot("passkey-refused")
			d.mailTo(t, who, "使用回数")
			k.hold(worn, worn.SignCount+5)
			k.open("/-/login?to=%2F-%2Fmy%2Fpasskeys", 200)
			k.use(`form[action="/-/login/passkey"] button`, `.rows button[value=remove]`) // the right one still signs in
			k.shoot("passkeys-suspect")
			k.follow(`.rows button[value=remove]`)
			k.follow(`form[action="/-/logout"] button`)
			k.refused()
			k.unplug()

			// What waits without a device, and the way back.
			k.open("/-/login", 200)
			k.follow(`form[action="/-/login/passkey"] button`)
			k.shoot("passkey-login")
			k.follow(`main a[href^="/-/login"]`)

			// The way to the directory.
			k.follow(`form[action="/-/login/oidc"] button`)
			k.sees("Example ID")
			k.shoot("login-oidc")
			k.follow(`main a[href="/-/login"]`)
		})
	}
}

// refused shows the passkey, which signs nobody in.
func (k *keyring) refused() {
	k.Helper()
	k.mu.Lock()
	k.asked[k.site+"/-/login/passkey/answer"] = true
	k.mu.Unlock()
	k.open("/-/login", 200)
	k.use(`form[action="/-/login/passkey"] button`, `main .note[role=alert]`)
	if got := k.eval(`String(document.querySelector('form[action="/-/logout"]'))`); got != "null" {
		k.Error("somebody is signed in")
	}
}

// signInAs signs an address in by a link of the operator's.
func (p *tab) signInAs(d *demo, who string) {
	p.Helper()
	var link string
	err := d.app.DB.Update(p.Context(), func(tx *storage.Tx) (err error) {
		link, err = listweb.NewLoginLink(tx, d.app.Site, address.Must(who), time.Now())
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		p.Fatal(err)
	}
	p.open(u.Path, 200)
	p.follow(`main button.strong`)
	p.sees(who)
}
