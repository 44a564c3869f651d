package posting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"kairan/list"
	"kairan/list/rules"
	"kairan/storage"
)

// Replay is what other settings would have made of posts that came.
type Replay struct {
	Posts       int          `json:"posts"`     // that were looked at
	Forgotten   int          `json:"forgotten"` // whose facts are no longer kept
	Different   int          `json:"different"` // about which the rules would say something else
	Differences []Difference `json:"differences"`
}

// Difference is a post about which the rules would say something else. Was is what they say with the settings as they are, whatever a moderator decided.
type Difference struct {
	Post *list.Post   `json:"post"`
	Was  list.Verdict `json:"was"`
	Is   list.Verdict `json:"is"`
}

const (
	maxDifferences = 200      // that a Replay names, the latest
	maxHeader      = 64 << 10 // of a post that is replayed, in bytes
	replayed       = 500      // posts in one transaction
)

// Replay asks the rules about the posts to l since a time, with its settings and with s. It changes nothing. Facts are those of the day
// the post came, but for the members of other lists that settings name, who are those of today.
func (p *Path) Replay(ctx context.Context, l *list.List, s list.Settings, since time.Time) (r Replay, err error) {
	other := *l
	other.Settings = s
	after := list.PostID(storage.NewID(since))
	for more := true; more && err == nil; {
		err = p.DB.View(ctx, func(tx *storage.Tx) error {
			more = false
			n := 0
			for post := range list.PostsAfter(tx, after) {
				if n++; n > replayed {
					more = true
					return nil
				}
				if after = post.ID; post.List != l.ID {
					continue
				}
				if err := p.replay(tx, &r, post, l, &other); err != nil {
					return fmt.Errorf("replay post %s: %w", post.ID, err)
				}
			}
			return nil
		})
	}
	return r, err
}

func (p *Path) replay(tx *storage.Tx, r *Replay, post *list.Post, l, other *list.List) error {
	f, err := p.facts(tx, post)
	if errors.Is(err, storage.ErrNotFound) {
		r.Forgotten++
		return nil
	}
	if err != nil {
		return err
	}
	r.Posts++
	site := p.site(tx)
	was := rules.Decide(l, site, f)
	f.Others = append(f.Others, others(tx, other, mine(tx, list.PersonOf(tx, f.Author)))...)
	is := rules.Decide(other, site, f)
	if was.String() == is.String() {
		return nil
	}
	r.Different++
	r.Differences = append(r.Differences, Difference{Post: post, Was: was, Is: is})
	r.Differences = r.Differences[max(0, len(r.Differences)-maxDifferences):]
	return nil
}

// mine returns the lists that a person is a member of.
func mine(tx *storage.Tx, who *list.Person) map[list.ID]bool {
	m := map[list.ID]bool{}
	for _, a := range who.Addresses {
		for id, role := range list.Memberships(tx, a) {
			m[id] = m[id] || role == list.RoleMember
		}
	}
	return m
}

// facts returns what the rules looked at when a post came, or storage.ErrNotFound when it is no longer kept.
func (p *Path) facts(tx *storage.Tx, post *list.Post) (*rules.Facts, error) {
	var f rules.Facts
	if err := list.PostFacts(tx, post.ID, &f); err != nil {
		return nil, err
	}
	if f.Header != nil {
		return &f, nil
	}
	raw, err := p.head(tx, post)
	if end := bytes.Index(raw, []byte("\r\n\r\n")); end >= 0 {
		raw = raw[:end+2]
	}
	f.Header = raw
	return &f, err
}

// head returns the beginning of a post's message.
func (p *Path) head(tx *storage.Tx, post *list.Post) ([]byte, error) {
	if !post.Blob {
		raw, err := list.PostRaw(tx, p.DB.Blobs, post.ID)
		return raw[:min(len(raw), maxHeader)], err
	}
	b, err := p.DB.Blobs.Open(post.ID.RawBlob())
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return io.ReadAll(io.NewSectionReader(b, 0, maxHeader))
}
