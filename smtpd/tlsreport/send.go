package tlsreport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/address"
	"kairan/smtpd/resolver"
	"kairan/smtpd/tlspolicy"
	"kairan/storage"
)

const (
	atATime  = 100            // rows read for one pass
	spread   = 4 * time.Hour  // after midnight within which reports go out (RFC 8460, section 4.1)
	giveUp   = 28 * time.Hour // after the end of the day
	maxURIs  = 4              // of a record
	postTime = time.Minute    // for a web server
)

// Round sends the reports that are due now.
func (r *Reports) Round(ctx context.Context, now time.Time) error {
	after := storage.P("", "")
	for {
		due, err := r.due(ctx, &after, now)
		if err != nil {
			return fmt.Errorf("read what was counted: %w", err)
		}
		for _, k := range due {
			if err := r.report(ctx, k, now); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				r.Log.Error("tls reports: will retry in an hour", "domain", k.B, "day", k.A, "err", err)
			}
		}
		if len(due) == 0 {
			return nil
		}
	}
}

// due returns some of what is to be reported now, and moves after behind it.
func (r *Reports) due(ctx context.Context, after *key, now time.Time) (due []key, err error) {
	err = r.DB.View(ctx, func(tx *storage.Tx) error {
		due = nil
		today := storage.P(now.UTC().Format(time.DateOnly), "")
		for k := range table.Scan(tx, storage.Range[key]{After: after, To: &today}) {
			*after = k
			if !now.Before(dayEnd(k.A).Add(jitter(k.B))) {
				if due = append(due, k); len(due) == atATime {
					break
				}
			}
		}
		return nil
	})
	return due, err
}

// dayEnd is the end of a day that the table names.
func dayEnd(day string) time.Time {
	t, _ := time.Parse(time.DateOnly, day) // one that cannot be read is long past
	return t.AddDate(0, 0, 1)
}

// jitter spreads reports, always the same way for a domain.
func jitter(domain string) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(domain))
	return time.Duration(h.Sum64() % uint64(spread))
}

// report tells a domain about a day, as far as it wants to know and does not yet. Its row goes when that is done, or cannot be.
func (r *Reports) report(ctx context.Context, k key, now time.Time) error {
	uris, err := r.wanted(ctx, k.B)
	late := now.Sub(dayEnd(k.A)) >= giveUp
	if err != nil && !late {
		return err
	}
	var counted row
	domain := ""
	err = r.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if counted, err = table.Get(tx, k); err != nil {
			return err
		}
		domain, err = r.Domain(tx)
		return err
	})
	if err != nil {
		return err
	}
	if domain == "" {
		uris = nil
	}
	uris = slices.DeleteFunc(uris, func(u string) bool { return slices.Contains(counted.Told, u) })
	if len(uris) == 0 {
		return r.DB.Update(ctx, func(tx *storage.Tx) error { return table.Delete(tx, k) })
	}
	doc, err := r.compose(k, counted.Policies, domain)
	if err != nil {
		return err
	}
	told, to, failed := counted.Told, []address.Address(nil), []error(nil)
	for _, uri := range uris {
		if a, ok := mailto(uri); ok {
			told, to = append(told, uri), append(to, a)
		} else if err := r.post(ctx, uri, doc); err != nil {
			failed = append(failed, err)
		} else {
			told = append(told, uri)
		}
	}
	done := func(tx *storage.Tx) error {
		if len(failed) == 0 || late {
			return table.Delete(tx, k)
		}
		counted.Told = told
		return table.Put(tx, k, counted)
	}
	r.Log.Info("tls report", "domain", k.B, "day", k.A, "mails", len(to), "to", len(told), "failed", len(failed))
	if len(to) == 0 {
		return errors.Join(append(failed, r.DB.Update(ctx, done))...)
	}
	mail := Mail{Domain: domain, To: to, Message: r.mail(doc, to, now)}
	return errors.Join(append(failed, r.Send(ctx, mail, done))...)
}

// wanted returns the URIs that a domain wants reports at, none if it wants none. An error leaves that open.
func (r *Reports) wanted(ctx context.Context, domain string) (uris []string, err error) {
	texts, err := r.Resolver.TXT(ctx, "_smtp._tls."+domain)
	if resolver.Temporary(err) {
		return nil, err
	}
	records := 0
	for _, text := range texts {
		record, is, err := tlsrpt.ParseRecord(text)
		if is {
			records++
		}
		if err != nil {
			continue
		}
		for _, some := range record.RUAs {
			for _, uri := range some {
				if _, mail := mailto(string(uri)); mail || strings.HasPrefix(strings.ToLower(string(uri)), "https:") {
					uris = append(uris, string(uri))
				}
			}
		}
	}
	if records != 1 { // RFC 8460, section 3
		return nil, nil
	}
	slices.Sort(uris)
	uris = slices.Compact(uris)
	return uris[:min(len(uris), maxURIs)], nil
}

// mailto returns the address of a mailto URI (RFC 6068), without its fields.
func mailto(uri string) (address.Address, bool) {
	u, err := url.Parse(uri)
	if err != nil || !strings.EqualFold(u.Scheme, "mailto") {
		return address.Address{}, false
	}
	s, err := url.PathUnescape(u.Opaque)
	if err != nil {
		return address.Address{}, false
	}
	a, err := address.Parse(s)
	return a, err == nil
}

// post gives a report to a web server (RFC 8460, section 5.4). Its answer is not read.
func (r *Reports) post(ctx context.Context, uri string, doc *document) error {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || u.Port() != "" && u.Port() != "443" || u.User != nil {
		return fmt.Errorf("%.80q is no address of a web server", uri)
	}
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, bytes.NewReader(doc.packed))
	if err != nil {
		return err
	}
	ask.Header.Set("Content-Type", "application/tlsrpt+gzip")
	o := tlspolicy.Options{Resolver: r.Resolver, RootCAs: r.RootCAs, Dial: r.Dial}
	resp, err := o.Client(ctx, u.Hostname()).Do(ask)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", u.Host, resp.Status)
	}
	return nil
}
