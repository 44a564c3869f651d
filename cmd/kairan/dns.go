package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/records"
	"kairan/storage"
)

type dkimCmd struct {
	Domain string `arg:"" help:"Domain of a list."`
}

func (cmd *dkimCmd) run(ctx context.Context, app *App, _ call, std streams) error {
	domain, err := parseDomain(cmd.Domain)
	if err != nil {
		return usageError{err}
	}
	if _, err := app.ensureKey(ctx, domain); err != nil {
		return err
	}
	return app.printRecords(ctx, std.out, domain)
}

// parseDomain returns a domain as DNS knows it, in A-labels.
func parseDomain(s string) (string, error) {
	a, err := address.Parse("postmaster@" + strings.TrimSuffix(s, "."))
	if err != nil || !strings.Contains(a.Domain(), ".") || strings.HasPrefix(a.Domain(), "[") {
		return "", fmt.Errorf("%q is no domain such as lists.example.jp", s)
	}
	return a.ASCIIDomain(), nil
}

// ensureKey makes a DKIM key for a domain that has none, and reports whether it did.
func (app *App) ensureKey(ctx context.Context, domain string) (created bool, err error) {
	key, err := list.NewKey(ctx, app.DB, domain, time.Now())
	if err != nil || key == nil {
		return false, err
	}
	return created, app.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		created, err = list.GiveKey(tx, domain, key)
		return err
	})
}

// machine is who sends and takes the mail, as far as we know.
func (app *App) machine() (records.Machine, error) {
	d := app.Config.Delivery
	m := records.Machine{Hostname: app.Site.Hostname, Smarthost: d.Smarthost}
	var err error
	if m.Addresses, err = d.sources(); err == nil && len(m.Addresses) == 0 {
		m.Addresses = records.PublicAddresses()
	}
	return m, err
}

// printRecords prints what to publish so that mail of a list domain arrives and is believed.
func (app *App) printRecords(ctx context.Context, w io.Writer, domain string) error {
	signer, err := app.signer(ctx, domain)
	if err != nil {
		return err
	}
	m, err := app.machine()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Publish these records (%s is the sending address of this machine; correct it if it is not):\n\n", m.Address())
	for _, r := range m.Records(domain, signer) {
		fmt.Fprintf(w, "; %s\n%s\n", r.Why, r.Line())
	}
	return nil
}

// signer is who signs mail of a domain.
func (app *App) signer(ctx context.Context, domain string) (s *mailauth.Signer, err error) {
	err = app.DB.View(ctx, func(tx *storage.Tx) error {
		s, err = list.SignerOf(tx, domain)
		return err
	})
	return s, err
}

type dnsCmd struct {
	Domain string `arg:"" help:"Domain of a list."`
	format
}

// dnsPatience is how long the DNS may take.
const dnsPatience = 10 * time.Second

// findingView is a record as dns prints it.
type findingView struct {
	State records.State `json:"state"`
	Name  string        `json:"name"`
	Type  string        `json:"type"`
	Data  string        `json:"data,omitempty"`
	Found []string      `json:"found,omitempty"`
}

func (cmd *dnsCmd) run(ctx context.Context, app *App, _ call, std streams) error {
	domain, err := parseDomain(cmd.Domain)
	if err != nil {
		return usageError{err}
	}
	signer, err := app.signer(ctx, domain)
	if err != nil {
		return err
	}
	m, err := app.machine()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dnsPatience)
	defer cancel()
	views := []findingView{}
	for _, f := range m.Check(ctx, app.resolver(), domain, signer) {
		views = append(views, findingView{f.State, f.Name, f.Type, f.Data, f.Found})
	}
	return cmd.show(std.out, views, func(w io.Writer) {
		for _, v := range views {
			fmt.Fprintf(w, "%-8s  %s %s\n", v.State, v.Name, v.Type)
			for _, found := range v.Found {
				fmt.Fprintf(w, "          found  %s\n", printable(found))
			}
			if v.State != records.OK && v.Data != "" {
				fmt.Fprintf(w, "          publish  %s\n", v.Data)
			}
		}
	})
}
