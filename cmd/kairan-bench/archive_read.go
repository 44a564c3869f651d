package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kairan/archive"
)

// readFor is how long readers read pages of one kind.
func (b *bench) readFor() time.Duration {
	return min(5*time.Second, max(100*time.Millisecond, 5*time.Second*time.Duration(b.members)/smallList))
}

// kind is a kind of page.
type kind struct {
	name  string
	rate  float64       // goal
	at99  time.Duration // goal
	paths []string
	found []byte
	gzip  bool
}

// hitsMark stands on a page of hits.
var hitsMark = []byte(`<ol class="hits">`)

// readAll reads pages of each kind.
func (a *archived) readAll(ctx context.Context) error {
	floor, err := staticFloor(ctx, a.b.readFor()/2)
	if err != nil {
		return err
	}
	t := &a.b.table
	t.add(row{figure: a.name + ": floor, static page of 20 KB", measured: fmt.Sprintf("%.0f/s", floor.rate()), floor: fmt.Sprintf("%s p99 %s", short(floor.times.at(0.5)), short(floor.at99()))})
	kinds, err := a.kinds(ctx)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		p := pages{addr: a.http, paths: k.paths, gzip: k.gzip, found: k.found, took: a.b.readFor()}
		var f *fetched
		spent, err := a.b.spend(a.daemon, func() (_ time.Duration, err error) {
			f, err = read(ctx, p)
			return 0, err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		f.each = spent.per(len(f.times)).kairan()
		a.b.tell(a.name+": "+k.name, k, f, floor)
	}
	t.bytes(a.name+": peak anonymous memory while serving", a.memory.soFar(), 150)
	return nil
}

// tell adds the rows of a kind of page.
func (b *bench) tell(figure string, k kind, f, floor *fetched) {
	b.table.add(row{figure: figure, measured: f.about(k), floor: fmt.Sprintf("%.3f of static", f.rate()/floor.rate()), ratio: f.rate(), goal: k.rate, least: true, unit: "/s"})
	if k.at99 > 0 {
		b.table.add(row{figure: figure + ", p99", measured: short(f.at99()), ratio: f.at99().Seconds() * 1000, goal: float64(k.at99.Milliseconds()), unit: "ms"})
	}
}

// about tells what readers saw.
func (f *fetched) about(k kind) string {
	about := fmt.Sprintf("%.0f/s, p50 %s, p99 %s, %s cpu, %.0f KB", f.rate(), short(f.times.at(0.5)), short(f.at99()), short(f.each), float64(f.bytes)/float64(len(f.times))/1000)
	if k.found != nil {
		about += fmt.Sprintf(", %.0f %% find something, %d of %d different", 100*float64(f.hits)/float64(len(f.times)), min(len(f.times), len(k.paths)), len(f.times))
	}
	return about
}

// monthLink is a link to a month on the page of a list.
var monthLink = regexp.MustCompile(`href="(` + archivePath + `[0-9]{4}-[0-9]{2}/)"`)

// kinds returns the pages to read. Messages and threads are those of messages drawn uniformly from all.
func (a *archived) kinds(ctx context.Context) ([]kind, error) {
	c, err := connect(ctx, a.http)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	front, _, err := c.get(archivePath, false)
	if err != nil {
		return nil, err
	}
	var months, messages, threads, queries []string
	for _, m := range monthLink.FindAllSubmatch(front, -1) {
		months = append(months, string(bytes.Clone(m[1])))
	}
	for range min(20_000, len(a.ids)) {
		messages = append(messages, archivePath+"m/"+archive.EscapeSegment(a.id())+"/")
	}
	for range min(1000, len(a.ids)) {
		path := archivePath + "t/" + archive.EscapeSegment(a.id()) + "/"
		if _, _, err := c.get(path, false); err != nil {
			return nil, err
		}
		if c.location != "" {
			path, _, _ = strings.Cut(c.location, "#")
		}
		threads = append(threads, path)
	}
	for _, q := range a.queries(10_000) {
		queries = append(queries, archivePath+"search?q="+url.QueryEscape(q))
	}
	rand.Shuffle(len(months), func(i, j int) { months[i], months[j] = months[j], months[i] })
	return []kind{
		{name: "message", rate: 3000, at99: 10 * time.Millisecond, paths: messages},
		{name: "thread", rate: 500, at99: 100 * time.Millisecond, paths: threads},
		{name: "front page", rate: 1000, paths: []string{archivePath}},
		{name: "month", rate: 1000, paths: months},
		{name: "search", rate: 500, at99: 50 * time.Millisecond, paths: queries, found: hitsMark},
		{name: "thread, gzip", paths: threads, gzip: true},
	}, nil
}
