package queue

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// signature is a DKIM-Signature field in the making. Copies with the same personal fields share one.
type signature struct {
	ctx   context.Context // when it ends nobody waits any more
	copy  *flight
	done  chan struct{}
	field []byte
	err   error
}

func (s *signature) made() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func sameSignature(a, b *Copy) bool { return *a.Signer == *b.Signer && bytes.Equal(a.Header, b.Header) }

// sign has a copy signed by whichever signer is free.
func (o *Outbox) sign(ctx context.Context, c *flight) *signature {
	s := &signature{ctx: ctx, copy: c, done: make(chan struct{})}
	select {
	case o.signing <- s:
	case <-ctx.Done():
		s.err = ctx.Err()
		close(s.done)
	}
	return s
}

// signer signs until there is nothing more to come.
//
// An RSA signature takes the better part of a millisecond and there are thousands of them, so signing keeps the cores busy for
// as long as a post goes out. Where the scheduler has processors left, signers work on threads of low priority: then
// the kernel lets everything else go first, at once. Without such processors the others would wait for a thread
// that the kernel lets wait.
func (o *Outbox) signer() {
	if runtime.GOMAXPROCS(0) > o.Signers {
		runtime.LockOSThread() // for good: the thread ends with the signer, and its priority with it
		lowerPriority()
	}
	for s := range o.signing {
		s.make()
	}
}

// make signs. A panic is the error of this copy.
func (s *signature) make() {
	defer close(s.done)
	defer func() {
		if r := recover(); r != nil {
			s.err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	if s.err = s.ctx.Err(); s.err == nil {
		s.field, s.err = s.copy.part.message.prepare(s.copy.Signer).Sign(s.copy.Header)
	}
}
