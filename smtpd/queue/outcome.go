package queue

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const maxText = 500 // bytes of an outcome's text

// ours is the outcome of what we could not do ourselves. Its text says no more than that; the log does.
func (f *feed) ours(i *item, err error) Outcome {
	f.o.Log.Error("deliver", "rendition", i.rendition, "row", i.row, "err", err, "then", "will be tried again")
	return Outcome{Status: Deferred, Enhanced: "4.3.0", Text: "the copy could not be made ready", Ours: true}
}

// report is what the transport calls for each copy.
func (f *feed) report(c *Outgoing, out Outcome) {
	f.last = out
	now := time.Now()
	f.w.progress(now)
	switch {
	case out.Status == Delivered && f.to.pushed.Load() > 0:
		f.to.pushed.Store(0)
	case slowDown(out):
		f.o.mu.Lock()
		f.o.schedule.pressed(f.to, out, now)
		f.o.mu.Unlock()
	}
	f.settle(c.flight, out)
}

// settle notes the outcome of a copy, once. Deferred ones are kept until all of the part are known.
func (f *feed) settle(c *flight, out Outcome) {
	if c == nil || c.reported {
		return
	}
	c.reported = true
	p := c.part
	out.Recipient = c.Recipient
	out.Text = oneLine(out.Text)
	if out.At.IsZero() {
		out.At = time.Now()
	}
	p.left--
	p.counts[out.Status]++
	f.worked = f.worked || out.Status == Delivered
	if out.Status == Deferred {
		p.deferred = append(p.deferred, out)
	} else {
		f.o.commits.add(entry{part: p, outcome: out})
	}
	if p.left == 0 {
		f.end(p)
	}
}

// rest gives all copies of a part that have none the same outcome.
func (f *feed) rest(p *part, out Outcome) {
	for n := range p.flights {
		f.settle(&p.flights[n], out)
	}
}

// end hands a part over to the committer; recipients without an outcome stay in its row.
func (f *feed) end(p *part) {
	if p.ended {
		return
	}
	p.ended = true
	f.open = slices.DeleteFunc(f.open, func(q *part) bool { return q == p })
	f.o.mu.Lock()
	f.w.leave(p.item)
	f.o.mu.Unlock()
	entries := make([]entry, 0, len(p.deferred)+1)
	for _, out := range p.deferred {
		entries = append(entries, entry{part: p, outcome: out})
	}
	f.o.commits.add(append(entries, entry{part: p, end: true})...)
	f.succeeded()
	f.o.Log.Info("deliver", "rendition", p.rendition, "row", p.row, "domain", p.domain(), "group", f.to.name, "delivered", p.counts[Delivered],
		"deferred", p.counts[Deferred], "failed", p.counts[Failed], "skipped", p.counts[Skipped])
}

// succeeded tells the schedule when the domain has taken something.
func (f *feed) succeeded() {
	if !f.worked {
		return
	}
	f.worked = false
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	f.o.schedule.succeeded(f.to, f.domain, time.Now())
}

// judge decides about what the transport did not take of the copies for a domain, and reports whether those for others may go on.
func (f *feed) judge() bool {
	f.succeeded()
	if f.exhausted || f.ctx.Err() != nil {
		return f.ctx.Err() == nil
	}
	if !f.handed && f.last.Status == "" {
		f.last = Outcome{Status: Deferred, Text: "the transport took nothing"}
	}
	switch final := f.last.Status == Failed && f.last.Code == 0; {
	case f.last.Status == Deferred:
		f.o.mu.Lock()
		holds := f.o.schedule.failed(f.to, f.domain, f.last, time.Now())
		f.o.mu.Unlock()
		if !holds || !f.handed {
			return false
		}
	case !final:
		return false
	}
	for _, p := range slices.Clone(f.open) {
		f.refuse(p)
	}
	f.ahead = slices.DeleteFunc(f.ahead, func(c *flight) bool { return c.reported })
	return true
}

// refuse gives all copies of a part for this domain the outcome reported last, if the transport got one of them. Else they were
// not asked for, and ask for themselves.
func (f *feed) refuse(p *part) {
	mine := func(c flight) bool { return c.domain == f.domain }
	if !slices.ContainsFunc(p.flights, func(c flight) bool { return mine(c) && c.handed }) {
		return
	}
	for n := range p.flights {
		if mine(p.flights[n]) {
			f.settle(&p.flights[n], f.last)
		}
	}
}

// close decides about what was taken and not tried.
func (f *feed) close() {
	if f.first != nil {
		f.putBack(f.first, time.Now())
	}
	for len(f.open) > 0 {
		p := f.open[0]
		if p.left == len(p.flights) && !p.handed {
			f.putBack(p.item, time.Now())
			f.open = f.open[1:]
			continue
		}
		f.unreported(p)
		f.end(p)
	}
}

// unreported defers the copies that the transport took and said nothing about: they may have arrived,
// and are tried again because they may not have.
func (f *feed) unreported(p *part) {
	for n := range p.next {
		c := &p.flights[n]
		if !c.reported && c.Chunks != nil {
			f.settle(c, Outcome{Status: Deferred, Text: "no outcome was reported"})
		}
	}
}

// tooOld is the last outcome of a recipient who was tried for long enough.
func tooOld(out Outcome, age time.Duration) Outcome {
	out.Status, out.Enhanced = Failed, "5.4.7"
	out.Text = oneLine("given up after " + age.Round(time.Minute).String() + ": " + out.Text)
	return out
}

// oneLine makes text fit for a row and a log.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
