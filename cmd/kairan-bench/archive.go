package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/archive/ingest"
	"kairan/smtpd/message"
)

// The archives of the goals, in messages. -members makes them smaller in proportion.
const (
	smallArchive = 10_000
	largeArchive = 200_000
	hugeArchive  = 500_000
	longThread   = 5_000
)

// realMbox names an mbox of real mail, which is measured beside what we make.
const realMbox = "KAIRAN_BENCH_MBOX"

// archived is a list with an archive, its daemon, and what readers ask it for.
type archived struct {
	*daemon
	*sample
	name string // of the archive, for the table
	n    int    // messages
}

const (
	archiveList = "archive@lists.example.jp"
	archivePath = "/archive/"
)

func (b *bench) archiveSmall(ctx context.Context) error {
	if name := os.Getenv(realMbox); name != "" {
		if err := b.archive(ctx, filepath.Base(name), oneMbox(name)); err != nil {
			return err
		}
	} else {
		b.say("  NO REAL MAIL IS MEASURED: %s names no mbox", realMbox)
	}
	return b.archiveOf(ctx, b.scaled(smallArchive))
}

func (b *bench) archiveLarge(ctx context.Context) error {
	return b.archiveOf(ctx, b.scaled(largeArchive))
}

func (b *bench) archiveHuge(ctx context.Context) error {
	return b.archiveOf(ctx, b.scaled(hugeArchive))
}

// archiveThread measures a thread of 5,000 messages.
func (b *bench) archiveThread(ctx context.Context) error {
	n := b.scaled(longThread)
	return b.archive(ctx, fmt.Sprintf("one thread of %d", n), b.mboxes(newCorpus(0), n))
}

// archiveOf measures the archive of a corpus of n messages.
func (b *bench) archiveOf(ctx context.Context, n int) error {
	return b.archive(ctx, fmt.Sprintf("%d messages", n), b.mboxes(newCorpus(archivetest.Begin), n))
}

// piece is how many messages of a corpus are in one mbox.
const piece = 25_000

// mboxes yields paths of mboxes with the next n messages. There is one at a time, as the archive alone needs room enough.
func (b *bench) mboxes(c *archivetest.Corpus, n int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		path := filepath.Join(b.dir, "corpus.mbox")
		defer os.Remove(path)
		for ; n > 0; n -= piece {
			if err := writeMbox(path, c, min(n, piece)); !yield(path, err) {
				return
			}
		}
	}
}

// writeMbox writes the next n messages to a file.
func writeMbox(path string, c *archivetest.Corpus, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(writeCorpus(f, c, n), f.Close())
}

// oneMbox yields a path.
func oneMbox(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(path, nil) }
}

// archive imports mboxes, posts to their list, and reads it.
func (b *bench) archive(ctx context.Context, name string, mboxes iter.Seq2[string, error]) error {
	d, err := b.serve(ctx, roster{address: archiveList, members: 1})
	if err != nil {
		return err
	}
	defer func() { d.stop(syscall.SIGKILL) }()
	a := &archived{daemon: d, sample: newSample(), name: name}
	if err := a.fillFrom(ctx, mboxes); err != nil {
		return err
	}
	if err := a.post(ctx); err != nil {
		return err
	}
	if err := d.end(syscall.SIGTERM); err != nil {
		return err
	}
	if d, err = d.site.start(ctx); err != nil {
		return err
	}
	a.daemon = d
	if err := a.readAll(ctx); err != nil {
		return d.failed(err, nil)
	}
	return d.stop(syscall.SIGTERM)
}

// textFloor tells how many messages a second one core takes apart (MIME, transfer encodings, charsets), and returns how many it then cuts into unique words.
func (a *archived) textFloor(ctx context.Context, path string) (cut float64, err error) {
	messages, _, err := ingest.Source{Path: path, Limit: archive.MaxMessage}.Open(ctx)
	if err != nil {
		return 0, err
	}
	var raws [][]byte
	for m, err := range messages {
		if err != nil {
			return 0, err
		}
		if raws = append(raws, m.Raw); len(raws) == 5000 {
			break
		}
	}
	begin := time.Now()
	for _, raw := range raws {
		for _, p := range message.Parse(raw).Parts() {
			p.Decode()
		}
	}
	parsed := time.Now()
	words := 0
	for _, raw := range raws {
		seen := map[string]bool{}
		for _, word := range strings.Fields(message.Parse(raw).Text()) {
			seen[word] = true
		}
		words += len(seen)
	}
	if words == 0 {
		return 0, fmt.Errorf("%s: no words", path)
	}
	n := float64(len(raws))
	parse := n / parsed.Sub(begin).Seconds()
	cut = n / time.Since(parsed).Seconds()
	a.b.table.add(row{figure: a.name + ": floor, one core: parse MIME; and cut into words", measured: fmt.Sprintf("%.0f/s; %.0f/s", parse, cut)})
	return cut, nil
}

// fillFrom imports the mboxes, waits after each until all of it is found, and tells of time, memory and space.
func (a *archived) fillFrom(ctx context.Context, mboxes iter.Seq2[string, error]) error {
	var spent cost
	var imported time.Duration
	var floor float64
	for path, err := range mboxes {
		if err == nil {
			err = a.read(ctx, path)
		}
		if err == nil && a.n == 0 {
			floor, err = a.textFloor(ctx, path)
		}
		if err != nil {
			return err
		}
		more, err := a.b.spend(a.daemon, func() (time.Duration, error) {
			begin := time.Now()
			n, err := a.bring(ctx, path)
			if err != nil {
				return 0, err
			}
			imported += time.Since(begin)
			a.n += n
			err = a.settled(ctx)
			return time.Since(begin), err
		})
		if err != nil {
			return err
		}
		spent = spent.plus(more)
	}
	mail, err1 := sizeOf(filepath.Join(a.dir, "data/files/archive"))
	index, err2 := sizeOf(filepath.Join(a.dir, "data/files/search"))
	rows, err3 := sizeOf(filepath.Join(a.dir, "data/kairan.db"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	rate := float64(a.n) / spent.took.Seconds()
	t := &a.b.table
	t.add(row{figure: a.name + ": import, threads and index", measured: fmt.Sprintf("%.0f/s; import alone %.0f/s", rate, float64(a.n)/imported.Seconds()),
		floor: fmt.Sprintf("%.0f/s words", floor), ratio: rate, goal: 1500, least: true, unit: "/s"})
	each := spent.per(a.n).kairan()
	t.add(row{figure: a.name + ": the same, processor time a message", measured: short(each), floor: short(time.Duration(1e9/floor)) + " words", processors: float64(each) * floor / 1e9})
	t.bytes(a.name+": peak anonymous memory while importing", a.memory.soFar(), 400)
	t.add(row{figure: a.name + ": index to mail", measured: fmt.Sprintf("%.0f MB; rows %.0f MB", float64(index)/1e6, float64(rows)/1e6),
		floor: fmt.Sprintf("%.0f MB", float64(mail)/1e6), ratio: float64(index) / float64(mail), goal: 1})
	return nil
}

// sizeOf returns the bytes of all files under a path; none if it is not there: a small index is in memory only.
func sizeOf(path string) (n int64, err error) {
	err = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return n, err
}

// bring imports the mbox and returns how many messages are new by it: those of a real mbox may stand there twice.
func (a *archived) bring(ctx context.Context, path string) (int, error) {
	out, err := a.command(ctx, "archive", "import", "--json", archiveList, path).Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w\n%s", err, e.Stderr)
	}
	if err != nil {
		return 0, fmt.Errorf("kairan archive import: %w", err)
	}
	var result ingest.Result
	return result.Added, json.Unmarshal(out, &result)
}

// settled waits until the index finds all messages. It asks the more often the less is missing: questions take time that is counted.
func (a *archived) settled(ctx context.Context) error {
	first, begin := 0, time.Now()
	for n := 0; ctx.Err() == nil; {
		var err error
		if n, err = a.found(ctx, "-zqxwv"); err != nil || n == a.n {
			return err
		}
		if first == 0 {
			first = n
		}
		missing := time.Duration(a.n-n) * time.Since(begin) / time.Duration(max(1, n-first))
		pause(ctx, max(10*time.Millisecond, min(missing/2, 500*time.Millisecond)))
	}
	return ctx.Err()
}

// total is the number of hits on a page of hits.
var total = regexp.MustCompile(`<p class="meta"><span>([0-9,]+)`)

// found asks a query and returns the number of hits.
func (a *archived) found(ctx context.Context, query string) (int, error) {
	c, err := connect(ctx, a.http)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	body, _, err := c.get(archivePath+"search?q="+url.QueryEscape(query), false)
	if err != nil {
		return 0, err
	}
	m := total.FindSubmatch(body)
	if m == nil {
		return 0, nil
	}
	return strconv.Atoi(strings.ReplaceAll(string(m[1]), ",", ""))
}

// post measures what one new post costs until it is found, all told: taken by SMTP, checked, archived, indexed, and sent to one member.
func (a *archived) post(ctx context.Context) error {
	const posts = 40
	n := a.b.scaled(posts*100) / 100
	p, err := newPoster(ctx, a.smtp, "EHLO")
	if err != nil {
		return err
	}
	defer p.Close()
	spent, err := a.b.spend(a.daemon, func() (time.Duration, error) {
		for range max(n, 3) {
			if _, _, err := p.post(archiveList); err != nil {
				return 0, a.failed(err, nil)
			}
			pause(ctx, 300*time.Millisecond) // alone in its batch
		}
		pause(ctx, time.Second)
		return 0, nil
	})
	if err != nil {
		return err
	}
	each := spent.per(p.n).kairan()
	var late durations
	for range 5 {
		accepted, _, err := p.post(archiveList)
		if err != nil {
			return err
		}
		id := fmt.Sprintf(`"%s.%d"`, p.run, p.n)
		for found := 0; found == 0; pause(ctx, 5*time.Millisecond) {
			if found, err = a.found(ctx, id); err != nil {
				return err
			}
		}
		late = append(late, time.Since(accepted))
	}
	t := &a.b.table
	t.add(row{figure: a.name + ": one new post, processor time", measured: short(each), ratio: each.Seconds() * 1000, goal: 10, unit: "ms"})
	t.add(row{figure: a.name + ": from its 250 until it is found", measured: late.String(), ratio: late.at(1).Seconds(), goal: 1, unit: "s"})
	return nil
}
