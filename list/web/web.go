package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"kairan/archive"
	"kairan/archive/search"
	archiveweb "kairan/archive/web"
	"kairan/list"
	"kairan/list/bounce"
	"kairan/list/moderation"
	"kairan/list/posting"
	"kairan/list/subscribe"
	"kairan/smtpd/records"
	"kairan/smtpd/resolver"
	"kairan/storage"
	"kairan/templates"
)

// Options are what the site is made of. DB, Archive, Site and Templates are needed.
type Options struct {
	DB        *storage.DB
	Archive   *archive.Archive
	Site      *list.Site
	Templates *templates.Set
	// Log gets what failed. Nil is silence.
	Log *slog.Logger
	// TrustedProxies are the networks whose X-Forwarded-For is believed. A peer on a unix socket is believed always.
	TrustedProxies []netip.Prefix
	// PagesPerMinute is how many pages of archives one client may read in a minute in the long run; 0 is no limit.
	PagesPerMinute int
	// Left is called after a member has left by the one-click link, to send the mail that offers the way back. Nil sends none.
	// list.UndoToken makes the token of /-/undo/ from the member's.
	Left func(ctx context.Context, l *list.List, m *list.Member)
	// Subscribe has the pages of joining, leaving and signing in by mail, and with them those of who is signed in. Nil leaves them out.
	Subscribe *subscribe.Workflow
	// Moderation has the page of the links in mails about held posts. Nil leaves it out.
	Moderation *moderation.Moderation
	// Bounces says in words what came back of a member's copies. Nil leaves that out.
	Bounces *bounce.Bouncer
	// Path tries settings on posts that came, and has the queue. Nil leaves these out.
	Path *posting.Path
	// OIDC is the directory that people sign in by, too. Nil is none.
	OIDC *OIDC
	// DNS answers what Machine, who sends and takes the mail, asks about the domains of lists. Nil leaves that page out.
	DNS     resolver.Resolver
	Machine records.Machine
	// Search has the pages that search the archives. Nil leaves them out.
	Search *search.Index
	// Extra are further handlers by ServeMux pattern, all under "/-/". They find the frame of their pages by templates.FrameOf.
	Extra map[string]http.Handler
}

// site serves all pages.
type site struct {
	Options
	limits *limiter[netip.Prefix] // by client
	pages  *limiter[netip.Prefix] // of archives, by client
	posts  *limiter[string]       // by address key of who is signed in
	swept  atomic.Int64           // Unix time of the last sweep
	secure bool                   // the site's address is https

	passkeys  *webauthn.WebAuthn // nil where browsers have none
	directory *directory         // nil where there is none
}

// New returns the handler of the whole site.
func New(o Options) http.Handler { return newSite(o).handler() }

func (s *site) handler() http.Handler {
	return s.recovered(s.headers(limited(s.framed(s.sameOrigin(s.rooms())))))
}

func newSite(o Options) *site {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &site{
		Options: o, secure: strings.HasPrefix(o.Site.URL, "https://"),
		limits: newLimiter[netip.Prefix](attemptEvery, attempts), posts: newLimiter[string](changeEvery, changes),
	}
	if o.Subscribe != nil {
		s.directory = newDirectory(o.OIDC, o.Site)
		var err error
		if s.passkeys, err = newPasskeys(o.Site); err != nil {
			o.Log.Error("no passkeys", "error", err)
		}
	}
	if o.PagesPerMinute > 0 {
		s.pages = newLimiter[netip.Prefix](time.Minute/time.Duration(o.PagesPerMinute), burstMinutes*o.PagesPerMinute)
	}
	return s
}

// rooms sends a request to what is not a list, to the page of a list, or to the archive.
// They are separate muxes because "/-/" would be as good a LIST as any other in their patterns.
func (s *site) rooms() http.Handler {
	special := s.special()
	lists := s.paced(s.old(s.lists()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), "/-/") {
			special.ServeHTTP(w, r)
			return
		}
		lists.ServeHTTP(w, r)
	})
}

// special are the addresses under "/-/".
func (s *site) special() *routes {
	mux := &routes{mux: http.NewServeMux(), site: s}
	mux.Handle("GET /-/static/", s.Templates.Static())
	mux.HandleFunc("GET /-/healthz", s.healthz)
	mux.HandleFunc("POST /-/lang", s.chooseLanguage)
	mux.HandleFunc("GET /-/why/{rule}", s.page(s.why))
	mux.HandleFunc("GET /-/u/{token}", s.page(s.unsubscribeForm))
	mux.HandleFunc("POST /-/u/{token}", s.page(s.unsubscribe))
	mux.HandleFunc("GET /-/undo/{token}", s.page(s.undoForm))
	mux.HandleFunc("POST /-/undo/{token}", s.page(s.undo))
	mux.HandleFunc("GET /-/leave/{list}", s.page(s.leave))
	mux.HandleFunc("GET /-/login", s.page(s.loginAsk))
	mux.HandleFunc("GET /-/login/{token}", s.page(s.loginForm))
	mux.HandleFunc("POST /-/login/{token}", s.page(s.login))
	mux.HandleFunc("POST /-/logout", s.page(s.logout))
	mux.HandleFunc("POST /-/message/{list}/{id}/{nth}/{do}", s.forPeople(s.decideMessage))
	s.confirmations(mux)
	s.people(mux)
	s.held(mux)
	s.settings(mux)
	s.hidden(mux)
	s.members(mux)
	s.pending(mux)
	s.bans(mux)
	s.roles(mux)
	s.texts(mux)
	s.moderate(mux)
	s.siteAdmin(mux)
	if s.Search != nil {
		search := s.searchPages()
		for _, ending := range searchForms {
			mux.Handle("GET /-/search"+ending, s.paced(search))
		}
	}
	for pattern, h := range s.Extra {
		mux.Handle(pattern, h)
	}
	return mux
}

func (s *site) lists() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.home))
	mux.HandleFunc("GET /index.json", s.page(s.home))
	mux.HandleFunc("GET /robots.txt", s.robots)
	mux.Handle("GET /sitemap.xml", archiveweb.Sitemap(s.Archive, access{s}, s.Templates))
	mux.HandleFunc("GET /{list}", s.page(s.list))
	mux.HandleFunc("GET /{list}/{$}", s.page(s.list))
	mux.HandleFunc("GET /{list}/index.json", s.page(s.list))
	if s.Search != nil {
		search := s.searchPages()
		for _, ending := range searchForms {
			mux.Handle("GET /{list}/search"+ending, search)
		}
	}
	mux.Handle("/", archiveweb.Handler(s.Archive, access{s}, s.Templates, s.Site.Location))
	return mux
}

// searchForms are the endings of a search's address.
var searchForms = []string{"", ".json", ".atom", ".mbox.gz"}

func (s *site) searchPages() http.Handler {
	return archiveweb.Search{Index: s.Search, Archive: s.Archive, Access: access{s}, Templates: s.Templates, Location: s.Site.Location, Log: s.Log}.Handler()
}

// Server returns an HTTP server for the site with limits on what a client may send and how slowly.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      5 * time.Minute, // an attachment over a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

func (s *site) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		for range list.All(tx) {
			break
		}
		return nil
	})
	if err != nil {
		s.Log.Error("health check", "error", err)
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ok\n"))
}
