package web

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kairan/archive"
	"kairan/archive/mbox"
	"kairan/storage"
	"kairan/templates"
)

// Limits of downloads.
const (
	partMessages = 20_000  // messages in one file; more are in further parts
	partBytes    = 1 << 30 // of mail in one file
	downloads    = 4       // at once, for all readers together
	chunk        = 50      // messages that are looked up at once
	chunkTime    = time.Minute
)

// errBusy says that too much is asked for at the moment.
var errBusy = errors.New("too many downloads at once")

// place is where a message is, for a download.
type place struct {
	list   string
	seq    uint64
	length int64
}

// selection is what goes into a download.
type selection struct {
	places []place
	sum    []byte // of what readers see of the messages
}

// add takes a message in.
func (s *selection) add(m *archive.Message) {
	s.places = append(s.places, place{m.List, m.Seq, m.Length})
	sum := sha256.New()
	sum.Write(s.sum)
	sum.Write(m.Sum[:])
	fmt.Fprint(sum, m.Redacted)
	for _, p := range m.Unnamed {
		fmt.Fprint(sum, p.Label)
	}
	s.sum = sum.Sum(s.sum[:0])
}

// parts cuts a selection into files.
func (s *selection) parts() (parts [][]place) {
	from, bytes := 0, int64(0)
	for i, p := range s.places {
		if bytes += p.length; i > from && (i-from == partMessages || bytes > partBytes) {
			parts = append(parts, s.places[from:i])
			from, bytes = i, p.length
		}
	}
	return append(parts, s.places[from:])
}

// monthMbox serves a month as an mbox.
func (h *handler) monthMbox(q *request, month string) error {
	if !isMonth(month) {
		return storage.ErrNotFound
	}
	var s selection
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		s = selection{}
		for m := range archive.InMonth(tx, q.list.ID, month) {
			s.add(m)
		}
		return nil
	})
	if err == nil && len(s.places) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return err
	}
	return h.mbox(q, q.list.Name+"-"+month, s)
}

// threadMbox serves a thread as an mbox.
func (h *handler) threadMbox(q *request) error {
	var t *archive.Thread
	var s selection
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) (err error) {
		s = selection{}
		if t, err = h.threadOf(tx, q); err != nil {
			return err
		}
		for m := range archive.InThread(tx, q.list.ID, t.Seq) {
			s.add(m)
		}
		return nil
	})
	if err != nil || q.moved(t) {
		return err
	}
	return h.mbox(q, q.list.Name+"-thread", s)
}

// mbox answers with messages as a gzipped mbox. Messages are read one after the other while they are sent, and no transaction
// waits for a slow reader. What is too much for one file is in further parts, ?p=2 and so on, which the Link field names.
func (h *handler) mbox(q *request, name string, s selection) error {
	parts := s.parts()
	page := pageNumber(q.r.URL.Query().Get("p"), len(parts), 1)
	header := q.w.Header()
	if page < len(parts) {
		header.Set("Link", "<?"+nextPart(q.r, page)+`>; rel="next"`)
	}
	if page > 1 {
		name += "-" + itoa(page)
	}
	header.Set("Content-Type", templates.Gzip)
	header.Set("Content-Disposition", disposition(strings.ReplaceAll(name, "@", "-at-")+".mbox.gz"))
	q.caching()
	tag := `W/"` + hex.EncodeToString(s.sum[:min(12, len(s.sum))]) + "-" + itoa(page) + `"`
	header.Set("ETag", tag)
	if templates.Unchanged(q.r, tag) {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if q.r.Method == http.MethodHead {
		return nil
	}
	select {
	case h.downloading <- struct{}{}:
		defer func() { <-h.downloading }()
	default:
		for _, field := range []string{"Content-Type", "Content-Disposition", "ETag", "Link"} {
			header.Del(field)
		}
		return errBusy
	}
	if err := h.send(q, parts[page-1]); err != nil {
		if q.r.Context().Err() == nil {
			h.log.Error("download", "path", q.r.URL.Path, "error", err)
		}
		panic(http.ErrAbortHandler) // the reader must not take the part for the whole
	}
	return nil
}

func nextPart(r *http.Request, page int) string {
	values := r.URL.Query()
	values.Set("p", itoa(page+1))
	return values.Encode()
}

// send writes messages to the reader.
func (h *handler) send(q *request, places []place) error {
	z, err := gzip.NewWriterLevel(q.w, gzip.BestSpeed)
	if err != nil {
		return err // unreachable: the level is a constant
	}
	out := bufio.NewWriterSize(z, 64<<10)
	control := http.NewResponseController(q.w)
	var buf []byte
	for len(places) > 0 {
		now := places[:min(chunk, len(places))]
		places = places[len(now):]
		control.SetWriteDeadline(time.Now().Add(chunkTime)) // where it cannot be set, the server's holds
		messages, err := h.lookUp(q.r.Context(), now)
		if err != nil {
			return err
		}
		for _, m := range messages {
			raw, err := h.read(m)
			if err != nil {
				return err
			}
			buf = mbox.Append(buf[:0], mbox.Record{Received: m.Received, Raw: q.source(raw)})
			if _, err := out.Write(buf); err != nil {
				return err
			}
		}
	}
	return errors.Join(out.Flush(), z.Close())
}

// lookUp returns the messages at some places, without those that readers no longer see.
func (h *handler) lookUp(ctx context.Context, places []place) (found []*archive.Message, err error) {
	err = h.arch.DB.View(ctx, func(tx *storage.Tx) error {
		found = nil
		for _, p := range places {
			m, err := archive.BySeq(tx, p.list, p.seq)
			if err == nil {
				found = append(found, m)
			} else if !errors.Is(err, storage.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	return found, err
}
