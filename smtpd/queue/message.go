package queue

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"kairan/smtpd/mailauth"
	"kairan/storage"
)

// message is a rendition in memory, shared by the workers that send it.
type message struct {
	id   string
	load sync.Once
	err  error
	rendition
	raw     []byte // as stored, signed
	stuffed []byte // with dots doubled (RFC 5321, section 4.5.2), sent

	weight int // bytes, 0 while loading; protected by messages.mu

	mu       sync.Mutex // protects prepared
	prepared map[mailauth.Signer]*mailauth.Prepared
}

// prepare returns the message made ready for a signer, once for all copies.
func (m *message) prepare(s *mailauth.Signer) *mailauth.Prepared {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.prepared[*s]
	if p == nil {
		p = s.Prepare(m.raw)
		m.prepared[*s] = p
	}
	return p
}

// messages keeps the renditions used last, within a few and within maxBytes.
type messages struct {
	db *storage.DB

	mu     sync.Mutex // protects recent
	recent []*message // the one used last at the end
}

const (
	maxMessages = 16
	maxBytes    = 64 << 20
)

// get returns the rendition, read on first use.
func (c *messages) get(ctx context.Context, id string) (*message, error) {
	m := c.entry(id)
	m.load.Do(func() { m.err = m.read(ctx, c.db) })
	if m.err != nil {
		c.drop(id)
		return nil, m.err
	}
	c.trim(m)
	return m, nil
}

func (c *messages) entry(id string) *message {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.recent, func(m *message) bool { return m.id == id })
	if i < 0 {
		c.recent = append(c.recent, &message{id: id, prepared: map[mailauth.Signer]*mailauth.Prepared{}})
		return c.recent[len(c.recent)-1]
	}
	m := c.recent[i]
	c.recent = append(slices.Delete(c.recent, i, i+1), m)
	return m
}

func (c *messages) drop(id string) { c.keep(func(other string) bool { return other != id }) }

// keep drops all but some.
func (c *messages) keep(some func(id string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = slices.DeleteFunc(c.recent, func(m *message) bool { return !some(m.id) })
}

// trim forgets what was not used for longest. Workers that still send it keep it alive.
func (c *messages) trim(loaded *message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	loaded.weight = len(loaded.raw)
	keep, size := len(c.recent), 0
	for keep > 0 && len(c.recent)-keep < maxMessages && size < maxBytes {
		keep--
		size += c.recent[keep].weight
	}
	c.recent = slices.Delete(c.recent, 0, keep)
}

func (m *message) read(ctx context.Context, db *storage.DB) error {
	large := false
	err := db.View(ctx, func(tx *storage.Tx) (err error) {
		if m.rendition, err = renditions.Get(tx, m.id); err != nil {
			return err
		}
		m.raw, err = texts.Get(tx, m.id)
		if large = errors.Is(err, storage.ErrNotFound); large {
			return nil
		}
		return err
	})
	if err == nil && large {
		m.raw, err = storage.ReadBlob(db.Blobs, blobFolder+m.id)
	}
	m.stuffed = stuff(m.raw)
	return err
}

// stuff doubles the dots that begin a line.
func stuff(b []byte) []byte {
	if bytes.HasPrefix(b, []byte(".")) {
		b = append([]byte("."), b...)
	}
	if bytes.Contains(b, []byte("\n.")) {
		b = bytes.ReplaceAll(b, []byte("\n."), []byte("\n.."))
	}
	return b
}
