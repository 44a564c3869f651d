package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"kairan/archive"
	"kairan/archive/search"
	"kairan/list"
	"kairan/list/bounce"
	"kairan/list/command"
	"kairan/list/digest"
	"kairan/list/inbound"
	"kairan/list/moderation"
	"kairan/list/posting"
	"kairan/list/rules"
	"kairan/list/subscribe"
	listweb "kairan/list/web"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/tlsreport"
	"kairan/storage"
	"kairan/storage/bolt"
	"kairan/templates"
)

// App is everything, wired. Its parts start to work in serve.
type App struct {
	Config    *Config
	Site      *list.Site
	Log       *slog.Logger
	DB        *storage.DB
	Archive   *archive.Archive
	Search    *search.Index
	Outbox    *queue.Outbox
	Relay     *relay.Relay
	Copies    *posting.Copies
	Digests   *digest.Digester
	Path      *posting.Path
	Templates *templates.Set
	// TLSReports is nil where there are none.
	TLSReports *tlsreport.Reports

	Subscribe  *subscribe.Workflow
	Commands   *command.Processor
	Moderation *moderation.Moderation
	Bounces    *bounce.Bouncer

	Inbound *inbound.Handler
	SMTP    *smtpd.Server
	LMTP    *smtpd.Server
	Web     http.Handler

	extra map[string]http.Handler // pages under /-/ that only the demo has
}

// assemble opens the store and wires everything; it reads from top to bottom. Nothing runs yet.
func assemble(ctx context.Context, cfg *Config, log *slog.Logger, options ...func(*App)) (app *App, err error) {
	app = &App{Config: cfg, Log: log}
	for _, o := range options {
		o(app)
	}
	if app.Site, err = site(cfg); err != nil {
		return nil, err
	}
	networks, err := parseNetworks(cfg.Trust.Networks)
	if err != nil {
		return nil, err
	}

	engine, files, err := bolt.Open(cfg.Data)
	if err != nil {
		return nil, err
	}
	if app.DB, err = storage.New(ctx, engine, files, list.Migrations()); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	db := app.DB // app is nil where an error is returned
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()

	dns := app.resolver()
	app.Archive = &archive.Archive{DB: app.DB, Location: app.Site.Location, Log: log, Acted: list.LogAct}
	app.Search = search.New(app.Archive, log)
	app.Copies = &posting.Copies{DB: app.DB, Site: app.Site}
	if app.Templates, err = templates.New(); err != nil {
		return nil, err
	}
	app.tlsReports(dns)
	delivery, err := app.delivery(dns)
	if err != nil {
		return nil, err
	}
	app.Relay = relay.New(delivery)
	app.Outbox = queue.New(app.DB, app.Copies, app.Relay, queue.Options{
		Smarthost:   cfg.Delivery.Smarthost != "" && len(cfg.Delivery.Routes) == 0,
		Connections: cfg.Delivery.Connections,
		Group:       app.Relay.Group,
		Limits:      cfg.Delivery.limits(),
		Signers:     runtime.GOMAXPROCS(0),
		Log:         log,
	})
	app.Digests = digest.New(digest.Options{DB: app.DB, Archive: app.Archive, Outbox: app.Outbox, Site: app.Site, Templates: app.Templates, Log: log})
	app.Path = posting.New(posting.Options{
		DB:        app.DB,
		Archive:   app.Archive,
		Outbox:    app.Outbox,
		Digests:   app.Digests,
		Checker:   &mailauth.Checker{Resolver: dns, Hostname: cfg.Hostname},
		Site:      app.Site,
		Templates: app.Templates,
		Rules:     rules.Site{BanList: cfg.Limits.BanList, MaxSize: cfg.Limits.MessageSize << 10},
		Trust:     posting.Trust{Networks: networks, AuthservIDs: cfg.Trust.AuthservIDs},
		Log:       log,
	})
	app.Archive.Withdrawn = app.withdrawn()
	app.people()
	app.Inbound = &inbound.Handler{
		DB:        app.DB,
		Path:      app.Path,
		Site:      app.Site,
		Leave:     app.leave,
		Subscribe: app.Subscribe,
		Commands:  app.Commands,
		Moderate:  app.Moderation.Answer,
		Refused:   app.tellRefused,
		Bounces:   app.Bounces,
		Log:       log,
	}
	if err := app.servers(); err != nil {
		return nil, err
	}
	return app, app.pages()
}

// people wires what is done with people by mail: joining and leaving, commands, moderation and bounces, which know each other.
func (app *App) people() {
	app.Moderation = moderation.New(moderation.Options{DB: app.DB, Archive: app.Archive, Path: app.Path, Site: app.Site, Templates: app.Templates, Log: app.Log})
	app.Subscribe = &subscribe.Workflow{
		DB:         app.DB,
		Site:       app.Site,
		BanList:    app.Config.Limits.BanList,
		Templates:  app.Templates,
		Path:       app.Path,
		Moderators: app.Moderation,
		Log:        app.Log,
	}
	app.Moderation.Subscribe = app.Subscribe
	app.Commands = &command.Processor{Archive: app.Archive, Workflow: app.Subscribe, Moderation: app.Moderation, Templates: app.Templates, Log: app.Log}
	app.Bounces = &bounce.Bouncer{DB: app.DB, Path: app.Path, Site: app.Site, Subscribe: app.Subscribe, Templates: app.Templates, Log: app.Log}
	app.Copies.Returned = app.Bounces.Returned
	app.Subscribe.Actions = map[string]subscribe.Action{
		subscribe.ActionCommands: app.Commands.Confirmed,
		subscribe.ActionEnable:   app.Bounces.Enable,
	}
}

// servers makes the SMTP and LMTP servers.
func (app *App) servers() error {
	c := app.Config
	networks, err := parseNetworks(c.Trust.Networks)
	if err != nil {
		return err
	}
	var starttls *tls.Config
	if c.TLS.Cert != "" {
		if starttls, err = smtpd.LoadCertificate(c.TLS.Cert, c.TLS.Key, app.Log); err != nil {
			return fmt.Errorf("%s: [tls]: %w", c.file, err)
		}
	}
	app.SMTP = &smtpd.Server{
		Handler:  app.Inbound,
		Hostname: c.Hostname,
		TLS:      starttls,
		Trusted:  networks,
		Log:      app.Log,
		Limits: smtpd.Limits{
			MessageBytes: int64(c.Limits.MessageSize) << 10,
			Connections:  c.Limits.Connections,
			PerIP:        c.Limits.ConnectionsPerIP,
			PerNetwork:   c.Limits.ConnectionsPerNet,
		},
	}
	app.LMTP = &smtpd.Server{Handler: app.Inbound, Hostname: c.Hostname, LMTP: true, Trusted: networks, Log: app.Log, Limits: app.SMTP.Limits}
	return nil
}

// pages makes the web.
func (app *App) pages() error {
	proxies, err := parseNetworks(app.Config.HTTP.TrustedProxies)
	if err != nil {
		return err
	}
	directory, err := app.Config.directory()
	if err != nil {
		return err
	}
	machine, err := app.machine()
	if err != nil {
		return err
	}
	app.Web = listweb.New(listweb.Options{
		DB:             app.DB,
		Archive:        app.Archive,
		Site:           app.Site,
		Templates:      app.Templates,
		TrustedProxies: proxies,
		PagesPerMinute: app.Config.HTTP.PagesPerMinute,
		Left:           app.tellLeft,
		Subscribe:      app.Subscribe,
		Moderation:     app.Moderation,
		Bounces:        app.Bounces,
		Path:           app.Path,
		DNS:            app.Path.Checker.Resolver,
		Machine:        machine,
		Search:         app.Search,
		OIDC:           directory,
		Extra:          app.extra,
		Log:            app.Log,
	})
	return nil
}

// site reads what lists need to know about their place from the configuration.
func site(cfg *Config) (*list.Site, error) {
	admin, err := address.Parse(cfg.Admin)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(cfg.Timezone)
	if err != nil {
		return nil, err
	}
	quotas := list.Quotas{Members: cfg.Limits.MaxMembers, Posts: cfg.Limits.MaxPostsPerDay, Archive: cfg.Limits.MaxArchiveSize}
	return &list.Site{Hostname: cfg.Hostname, URL: cfg.URL, Admin: admin, Language: cfg.Language, Location: zone, Quotas: quotas}, nil
}

// leave takes a member off its list because of the token that came by mail, and tells it.
func (app *App) leave(ctx context.Context, token string) error {
	var l *list.List
	var m *list.Member
	err := app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		l, m, err = list.LeaveByToken(tx, token, time.Now().In(app.Site.Location))
		return err
	})
	if errors.Is(err, list.ErrLeft) {
		return nil
	}
	if err != nil {
		return err
	}
	app.tellLeft(ctx, l, m)
	return nil
}

// Close closes the store. What runs must have ended.
func (app *App) Close() error { return app.DB.Close() }
