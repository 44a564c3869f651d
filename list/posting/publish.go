package posting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/cook"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// chunk is how many members one transaction looks at. Posts that come in meanwhile wait for one of these at the most.
const chunk = 500

// work is one post on its way through Publish.
type work struct {
	list      *list.List
	post      *list.Post
	raw       []byte
	content   *message.Message
	rendition cook.Rendition
	queued    func(*storage.Tx) error // gives the queue the rendition, with what the archive notes
	log       *slog.Logger
}

// errNotDue says that a post is not to be published, or not yet.
var errNotDue = errors.New("nothing to publish")

// number takes the list's next post number, once, and loads what the next stages need.
func (p *Path) number(ctx context.Context, id list.PostID) (*work, error) {
	w := &work{}
	err := p.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		if w.post, err = list.GetPost(tx, id); err != nil {
			return err
		}
		if w.list, err = list.Get(tx, w.post.List); err != nil {
			return err
		}
		progress, err := list.GetProgress(tx, id)
		if errors.Is(err, storage.ErrNotFound) || err == nil && time.Now().Before(progress.Leaves) {
			return errNotDue
		}
		if err != nil || w.post.Number != 0 {
			return err
		}
		n, err := list.NextNumber(tx, w.list.ID)
		if err != nil {
			return err
		}
		w.post.InDigest = w.list.Settings.DigestsEnabled && list.HasDigestMembers(tx, w.list.ID)
		return errors.Join(
			list.SetPostNumber(tx, w.post, n),
			list.Note(tx, id, list.Event{At: time.Now(), Stage: "number", Text: fmt.Sprint(n)}),
		)
	})
	if errors.Is(err, errNotDue) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("number: %w", err)
	}
	err = p.DB.View(ctx, func(tx *storage.Tx) (err error) {
		w.raw, err = list.PostRaw(tx, p.DB.Blobs, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("number: the message: %w", err)
	}
	w.log = postLogger(p.Log, w.list, w.post)
	w.log.Info("number", "number", w.post.Number)
	return w, nil
}

// cook makes the content for the archive and the rendition for the queue.
func (p *Path) cook(ctx context.Context, w *work) error {
	in := cook.Input{Site: p.Site, List: w.list, Post: w.post, Now: w.post.Decided}
	var notes []string
	w.content, notes = cook.Content(in, message.Parse(w.raw))
	w.rendition = cook.Dress(in, w.content, personal(p.Site, w.list, list.NewToken()))
	w.rendition.Notes = append(notes, w.rendition.Notes...)
	w.post.Rewritten = w.rendition.Rewritten
	var err error
	if w.queued, err = p.Outbox.Rendition(ctx, string(w.post.ID), w.rendition.Message); err != nil {
		return fmt.Errorf("cook: %w", err)
	}
	w.log.Info("cook", "rewritten", w.rendition.Rewritten, "size", len(w.rendition.Message))
	return nil
}

// archive appends the content to the archive, once, and commits the rendition with it.
func (p *Path) archive(ctx context.Context, w *work) error {
	note := list.Event{At: time.Now(), Stage: "cook", Text: cookWords(w.rendition)}
	if !cook.Archives(w.list, w.content.Header()) {
		return p.DB.Update(ctx, func(tx *storage.Tx) error {
			return errors.Join(w.queued(tx), w.noteOnce(tx, note, list.Event{At: time.Now(), Stage: "archive", Text: "not archived, as the list or the author wishes"}))
		})
	}
	entry := archive.Entry{
		List:     string(w.list.ID),
		Post:     string(w.post.ID),
		Number:   w.post.Number,
		ID:       w.post.MessageID,
		Received: w.post.Received,
		Raw:      w.content.Raw(),
	}
	m, err := p.Archive.Add(ctx, entry, func(tx *storage.Tx, m *archive.Message) error {
		return errors.Join(w.queued(tx), w.noteOnce(tx, note, list.Event{At: time.Now(), Stage: "archive", Text: p.Site.MessageURL(w.list, w.post.MessageID)}))
	})
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	w.log.Info("archive", "file", m.File, "offset", m.Offset)
	return nil
}

// digest lets the post wait for the next issue of the list's digest, once, if members get it so.
func (p *Path) digest(ctx context.Context, w *work) error {
	if !w.post.InDigest {
		return nil
	}
	closed := false
	err := p.DB.Update(ctx, func(tx *storage.Tx) (err error) {
		_, err = archive.FindPost(tx, string(w.list.ID), string(w.post.ID))
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		closed, err = list.AddToDigest(tx, w.list, list.DigestEntry{
			Post: w.post.ID, Number: w.post.Number, Size: len(w.content.Raw()), Archived: err == nil, Added: time.Now().In(p.Site.Location),
		})
		if err != nil {
			return err
		}
		w.post, err = list.GetPost(tx, w.post.ID) // it may be in an issue now
		return err
	})
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	w.log.Info("digest", "closed", closed)
	if closed {
		p.Digests.Wake()
	}
	return nil
}

// noteOnce writes what cook and archive did, unless a run before a crash already did.
func (w *work) noteOnce(tx *storage.Tx, events ...list.Event) error {
	for e := range list.History(tx, w.post.ID) {
		if e.Stage == "archive" {
			return nil
		}
	}
	return errors.Join(list.PutPost(tx, w.post), list.Note(tx, w.post.ID, events...))
}

func cookWords(r cook.Rendition) string {
	if len(r.Notes) == 0 {
		return "unchanged"
	}
	return strings.Join(r.Notes, "; ")
}

// enqueue gives the queue every recipient, a chunk a transaction, and notes with each how far it came.
func (p *Path) enqueue(ctx context.Context, w *work) error {
	for {
		c, err := p.nextChunk(ctx, w)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // published before
		}
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		began := time.Now()
		err = p.DB.Update(ctx, func(tx *storage.Tx) error {
			if err := p.Outbox.Enqueue(tx, string(w.post.ID), c.to); err != nil {
				return err
			}
			if c.last {
				return p.finish(tx, w, c.progress.Queued)
			}
			return list.SetProgress(tx, w.post.ID, c.progress)
		})
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		p.Outbox.Wake()
		if c.last {
			w.log.Info("enqueue", "recipients", c.progress.Queued)
			return nil
		}
		p.rest(ctx, time.Since(began))
	}
}

// plenty is how many copies in the queue keep it busy for a while.
const plenty = 5_000

// rest leaves the store to others after a chunk that took so long, so that a post that comes in meanwhile is soon answered.
// While the queue has plenty to do there is no hurry at all.
func (p *Path) rest(ctx context.Context, took time.Duration) {
	if p.Outbox.Depth().Copies > plenty {
		took *= 7
	}
	select {
	case <-time.After(took):
	case <-ctx.Done():
	}
}

// recipients are the next of a post to queue.
type recipients struct {
	to       []queue.Recipient
	progress list.Progress // after them
	last     bool
}

// nextChunk reads the recipients after those that are queued. It returns
// storage.ErrNotFound when nothing is left to do for the post.
func (p *Path) nextChunk(ctx context.Context, w *work) (c recipients, err error) {
	named, now := map[string]bool{}, time.Now()
	for _, a := range w.post.To {
		named[a.Key()] = true
	}
	err = p.DB.View(ctx, func(tx *storage.Tx) error {
		if c.progress, err = list.GetProgress(tx, w.post.ID); err != nil {
			return err
		}
		seen, author := 0, list.PersonOf(tx, w.post.Author)
		for key, m := range list.Members(tx, w.list.ID, list.RoleMember, c.progress.Cursor) {
			if seen++; seen > chunk {
				return nil
			}
			c.progress.Cursor = key
			own := m.NoOwnPosts && author.Has(m.Address)
			digested := w.post.InDigest && m.ModeFor(w.post.Number) != list.DeliveryRegular
			if m.Receives(now) && !digested && !own && !(m.NoDuplicates && named[key]) {
				c.to = append(c.to, queue.Recipient{Ref: key, To: m.Address})
			}
		}
		c.last = true
		return nil
	})
	c.progress.Queued += len(c.to)
	return c, err
}

// finish closes the rendition and the post.
func (p *Path) finish(tx *storage.Tx, w *work, recipients int) error {
	now := time.Now()
	return errors.Join(
		p.Outbox.Seal(tx, string(w.post.ID)),
		list.Finish(tx, w.post, now),
		p.acknowledge(tx, w, recipients, now),
		list.Note(tx, w.post.ID, list.Event{At: now, Stage: "enqueue", Text: fmt.Sprintf("%d recipients", recipients)}),
	)
}
