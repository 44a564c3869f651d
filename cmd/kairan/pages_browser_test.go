package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// pagePatience is how long one step in the browser may take.
const pagePatience = 20 * time.Second

// startBrowser returns the context of a browser that ends with the test. Without chromium the test is skipped, unless
// KAIRAN_BROWSER says that it is required.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("KAIRAN_BROWSER") == "required" {
			t.Fatalf("the page tests need Debian's chromium: %v", err)
		}
		t.Skipf("the page tests need Debian's chromium (make browser): %v", err)
	}
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", false),
	})
	allocator, cancelAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return ctx
}

// view is how a reader looks at the pages.
type view struct {
	width    int
	lang     string
	noScript bool
	dark     bool
}

func (v view) String() string { return fmt.Sprintf("%s-%d", v.lang, v.width) }

// tab is a browser window with cookies of its own. All that a calm page does not do is an error of the test: scripts,
// dialogs, console lines, violations of the policy, requests to other hosts, answers that nobody asked for.
type tab struct {
	*testing.T
	ctx  context.Context
	view view
	site string // "http://127.0.0.1:8080"

	axeScript string // source of axe, "" to look at the pages without it

	mu       sync.Mutex
	misdeeds []string
	asked    map[string]bool // addresses whose answer may be an error
}

// windows counts those that were opened.
var windows atomic.Uint32

// newTab opens a window on a site.
func newTab(t *testing.T, ctx context.Context, site string, v view) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would end the window
		t.Fatal(err)
	}
	p := &tab{T: t, ctx: ctx, view: v, site: site, asked: map[string]bool{}}
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
			// Each window is a client of its own, with its own allowance of attempts.
			Headers: network.Headers{"Accept-Language": v.lang, "X-Forwarded-For": fmt.Sprintf("192.0.2.%d", windows.Add(1))},
		}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.noScript})
		return err
	}), chromedp.EmulateViewport(int64(v.width), 844, func(m *emulation.SetDeviceMetricsOverrideParams, _ *emulation.SetTouchEmulationEnabledParams) {
		m.Mobile = v.width < 600
	}))
	if err := chromedp.Listen(ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	return p
}

// watch notes misdeeds. It must not call the browser.
func (p *tab) watch(ev any) {
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		// The browser draws the icon of a date field from a data: address; that of a page our policy blocks.
		if ev.Request.URL != p.site && !strings.HasPrefix(ev.Request.URL, p.site+"/") && !strings.HasPrefix(ev.Request.URL, "data:image/svg+xml") {
			p.misdeed("a request to " + ev.Request.URL)
		}
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 && !p.expected(ev.Response.URL) {
			p.misdeed(fmt.Sprintf("%d for %s", ev.Response.Status, ev.Response.URL))
		}
	case *cdplog.EventEntryAdded:
		if ev.Entry.Source != cdplog.EntrySourceNetwork || !p.expected(ev.Entry.URL) {
			p.misdeed(fmt.Sprintf("a log line from %s: %s", ev.Entry.Source, ev.Entry.Text))
		}
	case *runtime.EventConsoleAPICalled:
		p.misdeed("a console line by a script")
	case *runtime.EventExceptionThrown:
		p.misdeed("a script failed: " + ev.ExceptionDetails.Text)
	case *page.EventJavascriptDialogOpening:
		p.misdeed("a dialog: " + ev.Message)
		go chromedp.Do(p.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
			return err
		}))
	}
}

func (p *tab) misdeed(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.misdeeds = append(p.misdeeds, what)
}

func (p *tab) expected(address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[address]
}

// caught returns the misdeeds so far and forgets them.
func (p *tab) caught() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.misdeeds
	p.misdeeds = nil
	return all
}

// do runs steps that lead to no other page.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pagePatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// arrive runs steps that lead to another page, looks at it, and returns its status.
func (p *tab) arrive(what string, steps ...chromedp.Action[chromedp.Void]) int {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pagePatience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		p.Fatalf("%s: %v", what, err)
	}
	if strings.HasPrefix(answer.MimeType, "text/html") {
		p.audit(what)
	}
	for _, m := range p.caught() {
		p.Errorf("%s: %s", what, m)
	}
	return int(answer.Status)
}

// open goes to a path, whose answer must have the status.
func (p *tab) open(path string, status int) {
	p.Helper()
	if status >= 400 {
		p.mu.Lock()
		p.asked[p.site+path] = true
		p.mu.Unlock()
	}
	if got := p.arrive(path, chromedp.Navigate(p.site+path)); got != status {
		p.Errorf("%s: status %d, want %d", path, got, status)
	}
}

// follow clicks on a link or button, by CSS selector.
func (p *tab) follow(selector string) {
	p.Helper()
	if p.eval(`String(!!document.querySelector(`+quoteJS(selector)+`))`) != "true" {
		p.Fatalf("%s has no %s", p.path(), selector)
	}
	if got := p.arrive(selector, chromedp.Click(chromedp.CSS(selector))); got != 200 {
		p.Errorf("%s: status %d", selector, got)
	}
}

// submit is follow where the answer may be that something is wrong with a form; it returns its status.
func (p *tab) submit(selector string) int {
	p.Helper()
	action := p.eval(`document.querySelector(` + quoteJS(selector) + `).form.getAttribute("action")`)
	p.mu.Lock()
	p.asked[p.site+action] = true
	p.mu.Unlock()
	return p.arrive(selector, chromedp.Click(chromedp.CSS(selector)))
}

// fill writes into a field, in place of what is there.
func (p *tab) fill(selector, text string) {
	p.Helper()
	p.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// see fails unless there is something to be seen at a selector.
func (p *tab) see(selector string) {
	p.Helper()
	if p.eval(`String(document.querySelector(`+quoteJS(selector)+`)?.checkVisibility() ?? false)`) != "true" {
		p.Errorf("%s shows no %s", p.path(), selector)
	}
}

// eval returns what an expression of JavaScript, or its promise, makes of the page, as text. DevTools may do so even where pages may not.
func (p *tab) eval(expression string) string {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pagePatience)
	defer cancel()
	wait := func(e *runtime.EvaluateParams) { yes := true; e.AwaitPromise = &yes }
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, wait))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return got
}

func quoteJS(s string) string {
	b, _ := json.Marshal(s) // a string can always be written
	return string(b)
}

// path returns the path of the page, as it stands in the address line.
func (p *tab) path() string {
	p.Helper()
	u, err := url.Parse(p.eval(`location.href`))
	if err != nil {
		p.Fatal(err)
	}
	return u.RequestURI()
}

// sees checks what a reader sees on the page.
func (p *tab) sees(texts ...string) {
	p.Helper()
	body := p.eval(`document.body.innerText`)
	for _, text := range texts {
		if !strings.Contains(body, text) {
			p.Errorf("%s does not show %q:\n%s", p.path(), text, body)
		}
	}
}

//go:embed testdata/audit.js
var auditScript string

// audit checks what must hold on every page.
func (p *tab) audit(what string) {
	p.Helper()
	lang, _, _ := strings.Cut(p.view.lang, "-")
	faults := p.eval(fmt.Sprintf("(%s)(%d, %s)", auditScript, p.view.width, quoteJS(lang)))
	for fault := range strings.Lines(faults) {
		p.Errorf("%s (%s): %s", what, p.path(), strings.TrimSpace(fault))
	}
}

// shoot checks a kind of page with axe, and keeps a picture of it, from its top, among the artifacts of the test if there are any
// (go test -artifacts).
func (p *tab) shoot(name string) {
	p.Helper()
	p.axe(name)
	if flag.Lookup("test.artifacts").Value.String() != "true" {
		return
	}
	const highest = 3000
	var png []byte
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		size, err := cdp.Call(ctx, target, page.GetLayoutMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		beyond := true
		shot, err := cdp.Call(ctx, target, page.CaptureScreenshot, page.CaptureScreenshotParams{
			CaptureBeyondViewport: &beyond, OptimizeForSpeed: &beyond,
			Clip: &page.Viewport{Width: float64(p.view.width), Height: min(highest, size.CSSContentSize.Height), Scale: 1},
		})
		png = shot.Data
		return err
	}))
	if err := os.WriteFile(filepath.Join(p.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		p.Error(err)
	}
}

// download clicks on a link and returns the file that the browser saves, and under which name.
func (p *tab) download(selector string) (name string, data []byte) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pagePatience)
	defer cancel()
	c := chromedp.FromContext(p.ctx)
	dir, events := p.TempDir(), true
	if _, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, BrowserContextID: c.BrowserContextID, DownloadPath: dir, EventsEnabled: &events,
	}); err != nil {
		p.Fatal(err)
	}
	begun, done := make(chan *browser.EventDownloadWillBegin, 1), make(chan string, 64)
	if err := chromedp.ListenBrowser(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *browser.EventDownloadWillBegin:
			if string(ev.FrameID) == string(c.Target.TargetID) {
				begun <- ev
			}
		case *browser.EventDownloadProgress:
			if ev.State == browser.DownloadProgressStateCompleted {
				done <- ev.GUID
			}
		}
	}); err != nil {
		p.Fatal(err)
	}
	p.do(chromedp.Click(chromedp.CSS(selector)))
	var file *browser.EventDownloadWillBegin
	select {
	case file = <-begun:
	case <-ctx.Done():
		p.Fatalf("%s: no download begins", selector)
	}
	for {
		select {
		case guid := <-done:
			if guid != file.GUID {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, guid))
			if err != nil {
				p.Fatal(err)
			}
			return file.SuggestedFilename, data
		case <-ctx.Done():
			p.Fatalf("%s: the download does not end", selector)
		}
	}
}
