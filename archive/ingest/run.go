package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"kairan/archive"
)

// Options say what an import does.
type Options struct {
	List      string          // opaque list ID
	Names     []string        // of the list, as tags in subjects write them
	Sources   []Source        // in their order
	Pipermail bool            // the positions in the one source are the numbers of pipermail's pages
	Progress  func(Progress)  // called now and then; nil is none
	Report    func(n *Notice) // called for each message that did not get in, or not as it came; nil is none
}

// Progress is how far an import is.
type Progress struct {
	Messages    int   // read
	Done, Total int64 // bytes of the sources; Total is 0 if it is not known
}

// Notice tells of one message. It is Lost if it is not in the archive.
type Notice struct {
	Fault
	Lost bool `json:"lost"`
}

// Result counts what became of the messages.
type Result struct {
	Read   int `json:"read"`             // messages found
	Added  int `json:"added"`            // new in the archive
	Known  int `json:"known"`            // there before, or twice in the sources
	Purged int `json:"purged,omitempty"` // of those: purged, and not brought back
	Lost   int `json:"lost"`             // not imported, each with a Notice
	// Declined were left out as their authors ask, each with a Notice.
	Declined int    `json:"declined,omitempty"`
	Highest  uint64 `json:"highest,omitempty"` // post number
}

// Limits of a batch, which is one transaction: posts that arrive meanwhile wait for it.
const (
	batchMessages = 250
	batchBytes    = 8 << 20
)

// item is a message on its way: read, then prepared.
type item struct {
	m        Message
	err      error // a *Fault
	declined bool  // its author wants it in no archive
	id       string
	number   uint64
	prepared *archive.Prepared
}

// Run imports the sources into a list's archive. Messages that are there already are left alone, so it may be interrupted at any
// point and run again. The result counts what was done also when there is an error. Of several goroutines one reads and
// takes the messages apart while another archives those before.
func Run(ctx context.Context, a *archive.Archive, o Options) (Result, error) {
	if o.Pipermail && len(o.Sources) != 1 {
		return Result{}, errors.New("pipermail numbered the messages of one mbox, LIST.mbox/LIST.mbox: import that file alone")
	}
	r := &run{a: a, o: o}
	r.entries = entries{list: o.List, tag: tagOf(o.Names), pipermail: o.Pipermail, now: time.Now()}
	var sources []iter.Seq2[Message, error]
	for _, s := range o.Sources { // all of them first: a name that is wrong is told before anything is done
		messages, size, err := s.Open(ctx)
		if err != nil {
			return r.result, err
		}
		sources = append(sources, messages)
		r.progress.Total += size
		if size == 0 {
			r.unknown = true
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan []*item)
	var wg sync.WaitGroup
	var readErr error
	wg.Go(func() {
		defer close(batches)
		readErr = r.read(ctx, sources, batches)
	})
	var err error
	for batch := range batches {
		if err = r.archive(ctx, batch); err != nil {
			break
		}
	}
	cancel()
	wg.Wait()
	if err == nil {
		err = readErr
	}
	return r.result, err
}

type run struct {
	a        *archive.Archive
	o        Options
	entries  entries
	unknown  bool // how long one of them is
	progress Progress
	result   Result
}

// read sends the messages of all sources in batches, prepared.
func (r *run) read(ctx context.Context, sources []iter.Seq2[Message, error], batches chan<- []*item) error {
	var batch []*item
	bytes := 0
	send := func() error {
		r.prepare(batch)
		select {
		case batches <- batch:
			batch, bytes = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, messages := range sources {
		for m, err := range messages {
			if _, ok := errors.AsType[*Fault](err); err != nil && !ok {
				return errors.Join(err, send()) // what was read before it is not lost
			}
			batch = append(batch, &item{m: m, err: err})
			if bytes += len(m.Raw); len(batch) == batchMessages || bytes >= batchBytes {
				if err := send(); err != nil {
					return err
				}
			}
		}
	}
	return send()
}

// prepare takes the messages of a batch apart, on all cores.
func (r *run) prepare(batch []*item) {
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(batch))
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(batch); i += workers {
				r.prepareOne(batch[i])
			}
		})
	}
	wg.Wait()
}

func (r *run) prepareOne(it *item) {
	if it.err != nil {
		return
	}
	defer func() { // a message from outside must not end the import of the others
		if p := recover(); p != nil {
			it.prepared, it.err = nil, it.fault(fmt.Sprintf("it cannot be read: %v", p))
		}
	}()
	e, declined := r.entries.entry(it.m)
	it.number, it.id, it.declined = e.Number, e.ID, declined
	if declined {
		it.err = it.fault("its author asks that it not be archived (X-No-Archive)")
		return
	}
	p, err := archive.Prepare(e)
	if err != nil {
		it.err = it.fault(err.Error())
		return
	}
	it.prepared, it.m.Raw, it.m.Own = p, nil, nil
}

func (it *item) fault(why string) *Fault {
	f := fault(it.m.File, it.m.Start, it.m.End, why)
	f.ID = it.id
	return f
}

// archive archives a batch and counts.
func (r *run) archive(ctx context.Context, batch []*item) error {
	var prepared []*archive.Prepared
	var items []*item
	for _, it := range batch {
		if f, ok := errors.AsType[*Fault](it.err); ok {
			if it.declined {
				r.result.Declined++
			} else {
				r.result.Lost++
			}
			r.tell(*f, true)
			continue
		}
		prepared, items = append(prepared, it.prepared), append(items, it)
	}
	results, err := r.a.Import(ctx, r.o.List, prepared)
	if err != nil {
		return err
	}
	for i, got := range results {
		r.count(items[i], got)
	}
	r.result.Read += len(batch)
	r.report(batch)
	return nil
}

func (r *run) count(it *item, got archive.Imported) {
	r.result.Highest = max(r.result.Highest, it.number)
	switch {
	case got.Purged:
		r.result.Known++
		r.result.Purged++
	case got.Known:
		r.result.Known++
	default:
		r.result.Added++
	}
	if got.NumberTaken {
		r.tell(*it.fault(fmt.Sprintf("post number %d is that of another message", it.number)), false)
	}
}

func (r *run) tell(f Fault, lost bool) {
	if r.o.Report != nil {
		r.o.Report(&Notice{Fault: f, Lost: lost})
	}
}

func (r *run) report(batch []*item) {
	if r.o.Progress == nil || len(batch) == 0 {
		return
	}
	for _, it := range batch {
		r.progress.Done += it.m.End - it.m.Start
	}
	r.progress.Messages = r.result.Read
	p := r.progress
	if r.unknown {
		p.Total = 0
	}
	r.o.Progress(p)
}
