package search

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// MaxHits is how many hits of a query can be seen.
const MaxHits = 1000

// Limits of one query; beside them, no more run at one time than there are cores.
const (
	maxTime = 2 * time.Second // with the time it waits for others
	maxRead = 64 << 20        // bytes of postings
)

// ErrSlow says that a query would have taken too long.
var ErrSlow = errors.New("the query takes too long")

// List is an archive in which a reader may search.
type List struct {
	ID   string
	Name string // for list:
}

// Order says which hits come first.
type Order int

// Orders of hits.
const (
	ByRelevance Order = iota
	ByDate            // newest first
)

// Request is a search. Nothing is found, or counted, but in Lists.
type Request struct {
	Query  *Query
	Lists  []List
	Whole  bool // the reader sees whole addresses; others find of the local parts of addresses only what pages show of them
	Order  Order
	Offset int
	Limit  int
}

// Hit is a message that was found.
type Hit struct {
	List string
	Seq  uint64

	score  float32
	minute uint32
}

// Result is what a search found.
type Result struct {
	Hits  []Hit // at most Limit of the first MaxHits
	Total int
}

// Search finds the messages that have all of the query. It gives up with ErrSlow after two seconds, or 64 MB of postings.
func (x *Index) Search(ctx context.Context, r Request) (Result, error) {
	if r.Query.Empty() || r.Offset < 0 || r.Offset >= MaxHits || r.Limit < 1 {
		return Result{}, nil
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	select {
	case x.running <- struct{}{}:
		defer func() { <-x.running }()
	case <-ctx.Done():
		if outer.Err() == nil {
			return Result{}, ErrSlow
		}
		return Result{}, fmt.Errorf("search: %w", ctx.Err())
	}
	run := search{effort: effort{ctx: ctx, left: x.maxRead, whole: r.Whole}, Request: r, keep: min(r.Offset+r.Limit, MaxHits)}
	segments := x.use()
	defer func() {
		for _, s := range segments {
			s.release()
		}
	}()
	err := run.over(segments)
	if errors.Is(err, ErrSlow) || err != nil && ctx.Err() != nil && outer.Err() == nil {
		return Result{}, ErrSlow
	}
	if err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	slices.SortFunc(run.best.hits, func(a, b Hit) int {
		if run.best.worse(a, b) {
			return 1
		}
		return -1
	})
	hits := run.best.hits
	return Result{Hits: hits[min(r.Offset, len(hits)):], Total: run.total}, nil
}

// use returns the segments as they are now; each must be released.
func (x *Index) use() []*segment {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, s := range x.segments {
		s.refs.Add(1)
	}
	return slices.Clone(x.segments)
}

// search is a search that runs.
type search struct {
	effort
	Request
	keep  int
	best  top
	total int
}

// part is a segment with the cursors of the clauses.
type part struct {
	*segment
	allowed  []bool // by list
	gone     []uint64
	must     []cursor
	lead     []cursor // must, the rarest first
	heads    []cursor // for each of must: where it stands in the subject, or nil
	weights  []float64
	not      []cursor
	from, to uint32 // minutes
}

func (r *search) over(segments []*segment) error {
	r.best.byDate = r.Order == ByDate
	positive := 0
	for _, c := range r.Query.clauses {
		if !c.not {
			positive++
		}
	}
	seen := make([]int, positive) // documents that may have the clause
	all := 0
	var parts []*part
	for _, s := range segments {
		p, docs, err := r.prepare(s)
		if err != nil {
			return err
		}
		all += len(s.docs)
		if p == nil {
			continue
		}
		for i, n := range docs {
			seen[i] += n
		}
		parts = append(parts, p)
	}
	weights := make([]float64, positive)
	for i, n := range seen {
		weights[i] = math.Log(1 + (float64(max(0, all-n))+.5)/(float64(n)+.5))
	}
	for _, p := range parts {
		p.weights = weights
		if err := r.scan(p); err != nil {
			return err
		}
	}
	return nil
}

// prepare looks up the clauses in a segment; nil if nothing in it can be found.
func (r *search) prepare(s *segment) (*part, []int, error) {
	p := &part{segment: s, to: math.MaxUint32}
	if !r.allow(p) {
		return nil, nil, nil
	}
	if !r.Query.after.IsZero() {
		p.from = minute(r.Query.after)
	}
	if !r.Query.before.IsZero() {
		p.to = minute(r.Query.before)
	}
	p.gone = s.snapshot()
	var docs []int
	for _, c := range r.Query.clauses {
		found, n, err := s.cursor(&r.effort, c)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case c.not && found != nil:
			p.not = append(p.not, found)
		case c.not:
		case found == nil:
			return nil, nil, nil
		default:
			head, err := r.head(s, c)
			if err != nil {
				return nil, nil, err
			}
			p.must, p.heads, docs = append(p.must, found), append(p.heads, head), append(docs, n)
		}
	}
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return docs[a] - docs[b] })
	for _, i := range order {
		p.lead = append(p.lead, p.must[i])
	}
	return p, docs, r.ctx.Err()
}

// head returns where a clause stands in subjects: what is there weighs more.
func (r *search) head(s *segment, c clause) (cursor, error) {
	if c.field != "" || r.Order == ByDate {
		return nil, nil
	}
	inSubject := clause{terms: slices.Clone(c.terms)}
	for i := range inSubject.terms {
		inSubject.terms[i].term = subject + inSubject.terms[i].term
	}
	found, _, err := s.cursor(&r.effort, inSubject)
	return found, err
}

// allow finds out which lists of a segment are searched, and reports whether there are any.
func (r *search) allow(p *part) (some bool) {
	p.allowed = make([]bool, len(p.lists))
	for i, id := range p.lists {
		n := slices.IndexFunc(r.Lists, func(l List) bool { return l.ID == id })
		if n < 0 {
			continue
		}
		name := strings.ToLower(r.Lists[n].Name)
		if (len(r.Query.lists) == 0 || slices.Contains(r.Query.lists, name)) && !slices.Contains(r.Query.notLists, name) {
			p.allowed[i], some = true, true
		}
	}
	return some
}

// checkEvery is after how many documents the clock is looked at.
const checkEvery = 4096

// scan finds the hits in a segment.
func (r *search) scan(p *part) error {
	for n, d := 0, uint32(0); ; n, d = n+1, d+1 {
		if n%checkEvery == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if d = together(p.lead, d); d >= uint32(len(p.docs)) {
			return nil
		}
		row := p.docs[d]
		if !p.allowed[row.list] || row.minute < p.from || row.minute >= p.to || p.gone[d/64]&(1<<(d%64)) != 0 ||
			r.Query.attachment > 0 && row.flags&hasAttachment == 0 || r.Query.attachment < 0 && row.flags&hasAttachment != 0 ||
			slices.ContainsFunc(p.not, func(c cursor) bool { return c.seek(d) == d }) {
			continue
		}
		r.total++
		h := Hit{List: p.lists[row.list], Seq: uint64(row.seq), minute: row.minute}
		if r.Order == ByRelevance {
			h.score = p.score(d)
		}
		r.best.offer(h, r.keep)
	}
}

// score is how well a document fits (BM25, with a usual length of 300 terms): words that are rare, in the subject, and often in a short text.
func (p *part) score(d uint32) float32 {
	sum := 0.0
	for i, c := range p.must {
		n := float64(c.freq())
		if head := p.heads[i]; head != nil && head.seek(d) == d {
			n += 4
		}
		sum += p.weights[i] * n * 2.2 / (n + 1.2*(.6+.4*float64(p.docs[d].length)/300))
	}
	return float32(sum)
}

// top keeps the best hits, the worst of them first.
type top struct {
	hits   []Hit
	byDate bool
}

func (t *top) worse(a, b Hit) bool {
	switch {
	case !t.byDate && a.score != b.score:
		return a.score < b.score
	case a.minute != b.minute:
		return a.minute < b.minute
	case a.List != b.List:
		return a.List < b.List
	}
	return a.Seq < b.Seq
}

func (t *top) Len() int           { return len(t.hits) }
func (t *top) Less(i, j int) bool { return t.worse(t.hits[i], t.hits[j]) }
func (t *top) Swap(i, j int)      { t.hits[i], t.hits[j] = t.hits[j], t.hits[i] }
func (t *top) Push(x any)         { t.hits = append(t.hits, x.(Hit)) }
func (t *top) Pop() any           { return nil } // unreachable: the worst is replaced

func (t *top) offer(h Hit, keep int) {
	switch {
	case len(t.hits) < keep:
		heap.Push(t, h)
	case t.worse(t.hits[0], h):
		t.hits[0] = h
		heap.Fix(t, 0)
	}
}
