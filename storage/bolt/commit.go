package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"go.etcd.io/bbolt"

	"kairan/storage"
)

// maxGroup is how many bytes of rows a group writes before it commits without
// those that still wait: it bounds memory and the time of one commit.
const maxGroup = 32 << 20

var (
	errAborted = errors.New("the commit was broken off by another update that ended its goroutine")
	errNothing = errors.New("nothing to commit")
)

// update is a call of [Engine.Update].
type update struct {
	fn   func(storage.EngineTx) error
	turn chan bool // receives once: true to lead a group, false when err is the result
	led  bool      // turn received true; protected by Engine.mu
	err  error
}

// Update implements [storage.Engine] by group commit.
// A ctx that ends takes the update out of the line; once its function has been
// called the outcome is the commit's.
func (e *Engine) Update(ctx context.Context, fn func(storage.EngineTx) error) error {
	if err := errors.Join(ctx.Err(), e.stopped()); err != nil {
		return err
	}
	u := &update{fn: fn, turn: make(chan bool, 1)}
	e.join(u)
	var lead bool
	select {
	case lead = <-u.turn:
	case <-ctx.Done():
		if e.leave(u) {
			return ctx.Err()
		}
		lead = <-u.turn
	}
	if lead {
		e.lead()
	}
	return u.err
}

// join puts u at the end of the line.
func (e *Engine) join(u *update) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = append(e.waiting, u)
	if !e.busy {
		e.handOver()
	}
}

// leave takes u out of the line, unless its turn has come.
func (e *Engine) leave(u *update) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.Index(e.waiting, u)
	if i < 0 || u.led {
		return false
	}
	e.waiting = slices.Delete(e.waiting, i, i+1)
	return true
}

// handOver lets the first of the line lead the next group. e.mu is held.
func (e *Engine) handOver() {
	e.busy = len(e.waiting) > 0
	if e.busy {
		e.waiting[0].led = true
		e.waiting[0].turn <- true
	}
}

// next takes the first of the line, if there is one.
func (e *Engine) next() []*update {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := slices.Clone(e.waiting[:min(1, len(e.waiting))])
	e.waiting = slices.Delete(e.waiting, 0, len(first))
	return first
}

// lead commits a group whose first is the caller, tells the others, and hands
// over. The deferred part also runs when a function ends its goroutine
// (runtime.Goexit, which t.FailNow is): then nobody may believe in a commit.
func (e *Engine) lead() {
	runtime.Gosched() // those whose commit has just ended come along
	group := e.next()
	err := errAborted
	defer func() {
		for i, u := range group {
			if err != nil {
				u.err = err
			}
			if i > 0 {
				u.turn <- false
			}
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.handOver()
	}()
	err = e.commit(&group)
}

// commit runs those that wait, and those that come while it runs them, in one
// transaction. One that fails is undone and does not disturb the others, but
// its error is told only after the commit, for it may have seen their rows.
func (e *Engine) commit(group *[]*update) error {
	id := 0
	err := e.db.Update(func(tx *bbolt.Tx) error {
		id = tx.ID()
		written := 0
		for i := 0; i < len(*group); i++ {
			u, t := (*group)[i], &transaction{tx: tx}
			if u.err = call(u.fn, t); u.err != nil {
				if err := t.undo(); err != nil {
					return fmt.Errorf("undo a failed update: %w", err)
				}
			}
			if written += t.written; written < maxGroup {
				*group = append(*group, e.next()...)
			}
		}
		if written == 0 {
			return errNothing
		}
		return nil
	})
	if err == nil || errors.Is(err, errNothing) {
		return nil
	}
	err = fmt.Errorf("commit: %w", err)
	e.stopIfUnsure(id, err)
	return err
}

// stopIfUnsure stops the engine when transaction id failed after its last page
// was written and before the disk said that it kept it. Views would show what
// their callers were told has failed, and a later sync would not report it again.
func (e *Engine) stopIfUnsure(id int, cause error) {
	now := 0
	err := e.db.View(func(tx *bbolt.Tx) error {
		now = tx.ID()
		return nil
	})
	if err != nil || id == 0 || now < id {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed = fmt.Errorf("the store stopped, restart to see what the disk kept: %w", cause)
}

// call turns a panic of one update into its error, so that the others of its
// group are left alone.
func call(fn func(storage.EngineTx) error, t *transaction) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in an update: %v\n%s", r, debug.Stack())
		}
	}()
	return fn(t)
}
