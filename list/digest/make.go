package digest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/cook"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/storage"
)

// chunk is how many members one transaction looks at.
const chunk = 500

// work is an issue on its way into the queue.
type work struct {
	list     *list.List
	issue    *list.Post
	messages []*enclosed // in the order of the issue's posts; nil for one that readers do not see any more
	stored   map[string]bool
}

// enclosed is a message in a digest.
type enclosed struct {
	msg   *message.Message
	url   string // in the archive, "" for none
	quiet bool   // it asks not to be archived
}

// variant chooses a form of an issue: its posts with a "1" in parts, by their place.
type variant struct {
	mode  list.DeliveryMode
	lang  string
	parts string
}

// forms are how the ids of renditions name the modes.
var forms = map[list.DeliveryMode]string{list.DeliveryMIMEDigests: "mime", list.DeliveryPlaintextDigests: "text"}

// rendition is the id of a variant in the queue.
func (w *work) rendition(v variant) string {
	id := string(w.issue.ID) + "." + forms[v.mode] + "-" + v.lang
	if strings.Contains(v.parts, "0") {
		sum := sha256.Sum256([]byte(v.parts))
		id += "-" + hex.EncodeToString(sum[:8])
	}
	return id
}

// Make brings a closed issue into the queue, a chunk of members a transaction. It is idempotent, and goes on where a crash stopped it.
func (d *Digester) Make(ctx context.Context, id list.PostID) error {
	d.making.Lock()
	defer d.making.Unlock()
	w, err := d.read(ctx, id)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	for {
		c, err := d.nextChunk(ctx, w)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // made before
		}
		if err == nil {
			err = d.store(ctx, w, c)
		}
		if err == nil {
			err = d.DB.Update(ctx, func(tx *storage.Tx) error { return d.enqueue(tx, w, c) })
		}
		if err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
		d.Outbox.Wake()
		if c.last {
			d.Log.Info("digest", "post", w.issue.ID, "list", w.list.Address.String(), "volume", w.issue.Digest.Volume, "issue", w.issue.Digest.Issue,
				"posts", len(w.issue.Digest.Posts), "recipients", c.progress.Queued)
			return d.forgetModes(ctx, w.list.ID)
		}
	}
}

// forgetModes forgets what modes members had whose posts are all distributed now.
func (d *Digester) forgetModes(ctx context.Context, l list.ID) error {
	for after, more := "", true; more; {
		err := d.DB.Update(ctx, func(tx *storage.Tx) error {
			next, err := list.ForgetModes(tx, l, after, chunk)
			if err == nil {
				after, more = next, next != ""
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("forget earlier modes: %w", err)
		}
	}
	return nil
}

// read loads the issue and what its posts say to readers now.
func (d *Digester) read(ctx context.Context, id list.PostID) (*work, error) {
	w := &work{stored: map[string]bool{}}
	var posts []*list.Post
	var archived []*archive.Message
	err := d.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if w.issue, err = list.GetPost(tx, id); err != nil {
			return err
		}
		if w.list, err = list.Get(tx, w.issue.List); err != nil {
			return err
		}
		n := len(w.issue.Digest.Posts)
		posts, archived, w.messages = make([]*list.Post, n), make([]*archive.Message, n), make([]*enclosed, n)
		for i, e := range w.issue.Digest.Posts {
			if posts[i], err = list.GetPost(tx, e.Post); err != nil {
				return err
			}
			if !e.Archived {
				continue
			}
			m, err := archive.ByPost(tx, string(w.list.ID), string(e.Post))
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			if err == nil && m.Sight() == archive.Whole {
				archived[i] = m
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, e := range w.issue.Digest.Posts {
		content, err := d.content(ctx, w, posts[i], archived[i], e.Archived)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("post %s: %w", e.Post, err)
		}
		w.messages[i] = d.enclose(w, posts[i], content, e.Archived)
	}
	return w, nil
}

// content returns what readers see of a post, or an error that is storage.ErrNotFound for nothing.
func (d *Digester) content(ctx context.Context, w *work, p *list.Post, m *archive.Message, archived bool) (*message.Message, error) {
	if archived {
		if m == nil {
			return nil, storage.ErrNotFound
		}
		raw, err := d.Archive.Raw(m)
		return message.Parse(raw), err
	}
	var content *message.Message
	err := d.DB.View(ctx, func(tx *storage.Tx) error {
		raw, err := list.PostRaw(tx, d.DB.Blobs, p.ID)
		if err != nil {
			return err
		}
		content, _ = cook.Content(d.input(w, p), message.Parse(raw))
		content = message.Parse(archive.Unname(tx, content.Raw()))
		return nil
	})
	return content, err
}

func (d *Digester) input(w *work, p *list.Post) cook.Input {
	return cook.Input{Site: d.Site, List: w.list, Post: p, Now: p.Decided}
}

func (d *Digester) enclose(w *work, p *list.Post, content *message.Message, archived bool) *enclosed {
	msg := message.Parse(archive.Public(cook.Enclose(d.input(w, p), content).Raw()))
	e := &enclosed{msg: msg, quiet: !cook.Archives(w.list, msg.Header())}
	if archived {
		e.url = d.Site.MessageURL(w.list, p.MessageID)
		e.msg = message.Parse(message.Join(msg.Header().Set(message.NewField("Archived-At", "<"+e.url+">")), msg.Body()))
	}
	return e
}

// recipients are the next of an issue to queue.
type recipients struct {
	to       map[variant][]queue.Recipient
	progress list.Progress // after them
	last     bool
}

// variants are those of the recipients, in a fixed order.
func (c *recipients) variants() []variant {
	var all []variant
	for v := range c.to {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b variant) int {
		return cmp.Or(cmp.Compare(a.mode, b.mode), cmp.Compare(a.lang, b.lang), cmp.Compare(a.parts, b.parts))
	})
	return all
}

// nextChunk reads the members after those that are queued. It returns storage.ErrNotFound when nothing is left to do for the issue.
func (d *Digester) nextChunk(ctx context.Context, w *work) (c recipients, err error) {
	err = d.DB.View(ctx, func(tx *storage.Tx) error {
		c = recipients{to: map[variant][]queue.Recipient{}}
		if c.progress, err = list.GetDigestProgress(tx, w.issue.ID); err != nil {
			return err
		}
		seen, now := 0, time.Now()
		for key, m := range list.DigestMembers(tx, w.list.ID, c.progress.Cursor) {
			if seen++; seen > chunk {
				return nil
			}
			c.progress.Cursor = key
			if v := w.of(m); w.shows(v) && m.Receives(now) {
				c.to[v] = append(c.to[v], queue.Recipient{Ref: key, To: m.Address})
				c.progress.Queued++
			}
		}
		c.last = true
		return nil
	})
	return c, err
}

// of returns the variant for a member.
func (w *work) of(m *list.Member) variant {
	parts := make([]byte, len(w.messages))
	for i, e := range w.issue.Digest.Posts {
		if parts[i] = '0'; m.ModeFor(e.Number) != list.DeliveryRegular {
			parts[i] = '1'
		}
	}
	return variant{mode: m.DigestMode(), lang: w.list.LanguageOf(m), parts: string(parts)}
}

// store gives the queue the renditions that the recipients need and that it does not have yet. Their names are on disk before them, so that
// none is forgotten.
func (d *Digester) store(ctx context.Context, w *work, c recipients) error {
	var missing []variant
	for _, v := range c.variants() {
		id := w.rendition(v)
		if !w.stored[id] {
			missing = append(missing, v)
		}
		if !slices.ContainsFunc(w.issue.Digest.Renditions, func(r list.DigestRendition) bool { return r.ID == id }) {
			w.issue.Digest.Renditions = append(w.issue.Digest.Renditions, list.DigestRendition{ID: id, Mode: v.mode, Language: v.lang, Parts: v.parts})
		}
	}
	if len(missing) == 0 {
		return nil
	}
	composed, err := d.composeAll(ctx, w, missing)
	if err == nil {
		err = d.DB.Update(ctx, func(tx *storage.Tx) error { return list.PutPost(tx, w.issue) })
	}
	if err != nil {
		return err
	}
	for i, v := range missing {
		if err := d.Outbox.AddRendition(ctx, w.rendition(v), composed[i]); err != nil {
			return err
		}
		w.stored[w.rendition(v)] = true
	}
	return nil
}

func (d *Digester) composeAll(ctx context.Context, w *work, variants []variant) (composed [][]byte, err error) {
	err = d.DB.View(ctx, func(tx *storage.Tx) error {
		composed = nil
		for _, v := range variants {
			msg, err := d.compose(tx, w, v)
			if err != nil {
				return err
			}
			composed = append(composed, msg)
		}
		return nil
	})
	return composed, err
}

// Purge takes out of the copies of an issue that are still in the queue what readers do not see any more. Of copies with nothing left
// in them it returns how many it dropped.
func (d *Digester) Purge(ctx context.Context, id list.PostID) (dropped int, err error) {
	d.making.Lock()
	defer d.making.Unlock()
	w, err := d.read(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("purge digest %s: %w", id, err)
	}
	for _, r := range w.issue.Digest.Renditions {
		v := variant{mode: r.Mode, lang: r.Language, parts: r.Parts}
		if !w.shows(v) {
			err = d.DB.Update(ctx, func(tx *storage.Tx) error {
				n, err := d.Outbox.Drop(tx, queue.Filter{Rendition: r.ID}, "the message was purged")
				dropped += n
				return err
			})
		} else {
			var composed [][]byte
			if composed, err = d.composeAll(ctx, w, []variant{v}); err == nil {
				err = d.Outbox.ReplaceRendition(ctx, r.ID, composed[0])
			}
		}
		if err != nil {
			return dropped, fmt.Errorf("purge digest %s: %w", id, err)
		}
	}
	return dropped, nil
}

// shows reports whether a variant has a post that readers see.
func (w *work) shows(v variant) bool {
	for i, m := range w.messages {
		if m != nil && v.parts[i] == '1' {
			return true
		}
	}
	return false
}

// enqueue gives the queue a chunk of recipients, and with the last of them closes the renditions and the issue.
func (d *Digester) enqueue(tx *storage.Tx, w *work, c recipients) error {
	for _, v := range c.variants() {
		if err := d.Outbox.Enqueue(tx, w.rendition(v), c.to[v]); err != nil {
			return err
		}
	}
	if !c.last {
		return list.SetDigestProgress(tx, w.issue, c.progress)
	}
	for _, r := range w.issue.Digest.Renditions {
		if err := d.Outbox.Seal(tx, r.ID); err != nil {
			return err
		}
	}
	now := time.Now()
	text := fmt.Sprintf("%d recipients, %d renditions", c.progress.Queued, len(w.issue.Digest.Renditions))
	if gone := len(w.messages) - w.shown(); gone > 0 {
		text += fmt.Sprintf(", without %d posts that readers do not see any more", gone)
	}
	return errors.Join(
		list.FinishDigest(tx, w.issue, now),
		list.Note(tx, w.issue.ID, list.Event{At: now, Stage: "enqueue", Text: text}),
	)
}

// shown counts the posts that readers see.
func (w *work) shown() (n int) {
	for _, m := range w.messages {
		if m != nil {
			n++
		}
	}
	return n
}
