package archive

import (
	"errors"
	"fmt"
	"slices"

	"kairan/archive/mbox"
	"kairan/smtpd/message"
	"kairan/storage"
)

// Sight is how much of a message its readers see.
type Sight int

// What readers see of a message.
const (
	Whole    Sight = iota // all of it, but for the names of people who are named nowhere
	Redacted              // that it was there, and its place in the thread
	None                  // nothing: for them it is not there
)

// Sight decides what readers see of the message. It is the one place where that is decided: every function
// that reads messages goes by it, so what is built on them obeys.
func (m *Message) Sight() Sight {
	switch {
	case m.Hidden:
		return None
	case m.Redacted:
		return Redacted
	}
	return Whole
}

// viewer shows what the rows hold as readers see it.
type viewer struct{ unnamed []Person }

func newViewer(tx *storage.Tx) viewer {
	var v viewer
	for _, p := range people.Scan(tx, storage.Range[uint64]{}) {
		v.unnamed = append(v.unnamed, p.compile())
	}
	return v
}

// message returns what readers see of m, or nil for nothing.
func (v viewer) message(m *Message) *Message {
	seen := *m
	return v.own(&seen)
}

// own is message for a row that nobody else has: it makes of it what readers see.
func (v viewer) own(m *Message) *Message {
	switch m.Sight() {
	case None:
		return nil
	case Redacted:
		m.FromName, m.FromAddr, m.Subject, m.Attached = "", "", "", 0
	}
	if m.Unnamed = v.unnamed; len(v.unnamed) > 0 {
		m.Subject, _ = unname(asAuthor(v.unnamed, m.FromName, m.FromAddr), m.Subject)
		m.FromName, m.FromAddr = unnameMailbox(v.unnamed, m.FromName, m.FromAddr)
	}
	return m
}

// thread returns what readers see of a summary: of people who are named nowhere, what they see of the message that it is called after.
func (v viewer) thread(tx *storage.Tx, t *Thread) *Thread {
	if len(v.unnamed) == 0 {
		return t
	}
	m, err := fetch(tx, t.List, t.Seq)
	if err == nil && m.ID != t.ID {
		m, err = Find(tx, t.List, t.ID, 1)
	}
	if err == nil {
		if m = v.message(m); m != nil {
			t.FromName, t.Subject = m.FromName, m.Subject
			return t
		}
	}
	t.FromName, _ = unname(v.unnamed, t.FromName)
	t.Subject, _ = unname(v.unnamed, t.Subject)
	return t
}

// Find returns the nth message (1 for the first) of that Message-ID as it was archived, hidden or not, or
// storage.ErrNotFound. It is for those who decide about messages, not for readers.
func Find(tx *storage.Tx, list, id string, nth int) (*Message, error) {
	row, err := ids.Get(tx, nthID(list, id, nth))
	if err != nil {
		return nil, err
	}
	return fetch(tx, list, row.Seq)
}

// FindNumber is Find by post number.
func FindNumber(tx *storage.Tx, list string, n uint64) (*Message, error) {
	seq, err := numbers.Get(tx, storage.P(list, n))
	if err != nil {
		return nil, err
	}
	return fetch(tx, list, seq)
}

// FindPost is Find by post ID.
func FindPost(tx *storage.Tx, list, post string) (*Message, error) { return byPost(tx, list, post) }

// errReindexing says that nothing can be said about messages now.
var errReindexing = errors.New("the archive is being indexed anew")

// ByPost returns the message of a post as its readers see it, or storage.ErrNotFound. While the list's index is made anew, and a
// message may be missing for this reason only, that is another error.
func ByPost(tx *storage.Tx, list, post string) (*Message, error) {
	m, err := byPost(tx, list, post)
	if errors.Is(err, storage.ErrNotFound) {
		row, failed := get(tx, lists, list)
		if failed != nil {
			return nil, failed
		}
		if row.Rebuild {
			return nil, errReindexing
		}
	}
	if err != nil {
		return nil, err
	}
	if m = newViewer(tx).message(m); m == nil {
		return nil, fmt.Errorf("the message of post %s is hidden: %w", post, storage.ErrNotFound)
	}
	return m, nil
}

// fetch returns the row of a message, or storage.ErrNotFound.
func fetch(tx *storage.Tx, list string, seq uint64) (*Message, error) {
	m, err := messages.Fetch(tx, storage.P(list, seq))
	if err != nil {
		return nil, err
	}
	m.List, m.Seq = list, seq
	return m, nil
}

// Raw returns the message as its readers may see it, lines ended by CRLF: as it was archived unless the
// ledger says otherwise. It is an error if the record in the file is not the one that was indexed.
func (a *Archive) Raw(m *Message) ([]byte, error) {
	r := a.Reader()
	defer r.Close()
	return r.Raw(m)
}

// Reader reads several messages, as [Archive.Raw] does, and keeps the file open of the last. It is for one goroutine.
type Reader struct {
	a    *Archive
	file storage.Blob // nil for none
	name string
	buf  []byte // the record
	raw  []byte // the message in it
}

// Reader returns a reader of messages, which is to be closed.
func (a *Archive) Reader() *Reader { return &Reader{a: a} }

// Close closes the file that was left open.
func (r *Reader) Close() {
	if r.file != nil {
		r.file.Close() // it was read only: nothing is lost
		r.file = nil
	}
}

// Raw is [Archive.Raw]. The bytes are good until the next call.
func (r *Reader) Raw(m *Message) ([]byte, error) {
	if m.Sight() == None {
		return nil, fmt.Errorf("read message %d of list %s: it is hidden: %w", m.Seq, m.List, storage.ErrNotFound)
	}
	raw, err := r.original(m)
	if err != nil {
		return nil, err
	}
	if m.Sight() == Redacted {
		return placeholder(raw, r.a.Withdrawn), nil
	}
	return unnameRaw(m.Unnamed, raw), nil
}

// original returns the message as it was archived.
func (r *Reader) original(m *Message) (_ []byte, err error) {
	if r.file == nil || r.name != m.File {
		r.Close()
		if r.file, err = r.a.DB.Blobs.Open(m.File); err != nil {
			return nil, fmt.Errorf("read message %d of list %s: %w", m.Seq, m.List, err)
		}
		r.name = m.File
	}
	if r.buf, err = readSpan(r.file, m, r.buf); err == nil {
		r.raw, err = mbox.Message(r.buf, r.raw)
	}
	if err != nil {
		return nil, fmt.Errorf("read message %d of list %s in %s at %d: %w", m.Seq, m.List, m.File, m.Offset, err)
	}
	return r.raw, nil
}

// Unname returns raw, a message that is not archived, without the people who are named nowhere.
func Unname(tx *storage.Tx, raw []byte) []byte { return unnameRaw(newViewer(tx).unnamed, raw) }

// original returns the message as it was archived.
func (a *Archive) original(m *Message) ([]byte, error) {
	r := a.Reader()
	defer r.Close()
	return r.original(m)
}

// placeFields are the fields that tell the place of a message in its thread, and nothing else.
var placeFields = []string{"Message-ID", "Date", "References", "In-Reply-To"}

// placeholder returns what stands for a message of which nothing is to be read but its place, with a text in UTF-8.
func placeholder(raw []byte, text string) []byte {
	var h message.Header
	for _, f := range message.Parse(raw).Header() {
		known := slices.ContainsFunc(placeFields, func(name string) bool { return foldEqual(name, f.Name) })
		if known && len(f.Raw) < 8<<10 {
			h = append(h, f)
		}
	}
	if text == "" {
		return message.Join(h, nil)
	}
	h = append(h,
		message.NewField("MIME-Version", "1.0"),
		message.NewField("Content-Type", "text/plain; charset=utf-8"),
		message.NewField("Content-Transfer-Encoding", "8bit"))
	return message.Join(h, crlf(text))
}
