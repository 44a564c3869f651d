package archive

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The rows of messages and threads are what pages read by the hundred, so they have a form of their own: the version, then numbers, times
// and strings one after another; a message's begins with its thread and its flags, which some pages read alone. A string is its length and
// its bytes. Rows were JSON once; such a row is read as well, and takes the new form when it is written again or when the list is indexed anew.
const (
	rowVersion = 1
	rowJSON    = '{'
)

// The flags of a row.
const (
	rowHidden = 1 << iota
	rowRedacted
)

var errRow = errors.New("malformed row")

// AppendBinary implements storage.Binary.
func (m *Message) AppendBinary(b []byte) ([]byte, error) {
	b = m.appendHead(b)
	for _, n := range []uint64{m.Number, uint64(m.Nth), uint64(m.Attached), uint64(m.Offset), uint64(m.Length)} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendTime(appendTime(b, m.Received), m.Date)
	b = append(b, m.Sum[:]...)
	for _, s := range []string{m.ID, m.FromName, m.FromAddr, m.Subject, m.Post, m.Old, m.File} {
		b = appendString(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(m.Parents)))
	for _, s := range m.Parents {
		b = appendString(b, s)
	}
	return b, nil
}

// appendHead writes the beginning of a row, which is all that a [placeRow] is.
func (m *Message) appendHead(b []byte) []byte {
	var flags byte
	if m.Hidden {
		flags |= rowHidden
	}
	if m.Redacted {
		flags |= rowRedacted
	}
	b = binary.AppendUvarint(append(b, rowVersion), m.Thread)
	return append(b, flags)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// appendString replaces what is not UTF-8, as JSON does.
func appendString(b []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// UnmarshalBinary implements storage.Binary.
func (m *Message) UnmarshalBinary(row []byte) error {
	if len(row) > 0 && row[0] == rowJSON {
		type plain Message // without this method
		return json.Unmarshal(row, (*plain)(m))
	}
	r := rowReader{rest: string(row)}
	thread, flags := r.head()
	*m = Message{Thread: thread, Hidden: flags&rowHidden != 0, Redacted: flags&rowRedacted != 0}
	m.Number, m.Nth, m.Attached = r.uint(), int(r.uint()), int(r.uint())
	m.Offset, m.Length = int64(r.uint()), int64(r.uint())
	m.Received, m.Date = r.time(), r.time()
	copy(m.Sum[:], r.take(uint64(len(m.Sum))))
	for _, s := range []*string{&m.ID, &m.FromName, &m.FromAddr, &m.Subject, &m.Post, &m.Old, &m.File} {
		*s = r.string()
	}
	switch n := r.uint(); {
	case n > uint64(len(r.rest)):
		return errRow
	case n > 0:
		m.Parents = make([]string, n)
		for i := range m.Parents {
			m.Parents[i] = r.string()
		}
	}
	return r.end()
}

// AppendBinary implements storage.Binary.
func (t *Thread) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, rowVersion)
	b = binary.AppendUvarint(b, uint64(t.Count))
	b = binary.AppendUvarint(b, t.LastSeq)
	b = appendTime(appendTime(b, t.First), t.Last)
	for _, s := range []string{t.ID, t.Subject, t.FromName} {
		b = appendString(b, s)
	}
	return b, nil
}

// UnmarshalBinary implements storage.Binary.
func (t *Thread) UnmarshalBinary(row []byte) error {
	if len(row) > 0 && row[0] == rowJSON {
		type plain Thread // without this method
		return json.Unmarshal(row, (*plain)(t))
	}
	r := rowReader{rest: string(row)}
	r.version()
	*t = Thread{Count: int(r.uint()), LastSeq: r.uint(), First: r.time(), Last: r.time(), ID: r.string(), Subject: r.string(), FromName: r.string()}
	return r.end()
}

// placeRow is what a row says of where its message belongs. It is also what stands of the message in its month, so that a page finds the
// threads of a month without reading its messages. Once nothing stood there: such a row has thread 0, and the message itself is asked.
type placeRow struct {
	thread uint64
	hidden bool
}

func placeOf(m *Message) placeRow { return placeRow{thread: m.Thread, hidden: m.Hidden} }

// AppendBinary implements storage.Binary.
func (p *placeRow) AppendBinary(b []byte) ([]byte, error) {
	return (&Message{Thread: p.thread, Hidden: p.hidden}).appendHead(b), nil
}

// UnmarshalBinary implements storage.Binary.
func (p *placeRow) UnmarshalBinary(row []byte) error {
	if len(row) > 0 && row[0] == rowJSON {
		var m Message
		err := m.UnmarshalBinary(row)
		p.thread, p.hidden = m.Thread, m.Hidden
		return err
	}
	r := rowReader{rest: string(row[:min(len(row), 1+binary.MaxVarintLen64+1)])}
	thread, flags := r.head()
	p.thread, p.hidden = thread, flags&rowHidden != 0
	return r.err
}

// rowReader reads a row from left to right. The strings it returns share the memory of the row.
type rowReader struct {
	rest string
	err  error
}

func (r *rowReader) version() {
	if v := r.take(1); v != "" && v[0] != rowVersion {
		r.err = fmt.Errorf("a row of version %d, which this kairan does not know", v[0])
	}
}

// head reads the version, the thread and the flags.
func (r *rowReader) head() (thread uint64, flags byte) {
	r.version()
	thread = r.uint()
	if b := r.take(1); b != "" {
		flags = b[0]
	}
	return thread, flags
}

// take returns the next n bytes, or "" where there are not as many.
func (r *rowReader) take(n uint64) string {
	if r.err == nil && n > uint64(len(r.rest)) {
		r.err = errRow
	}
	if r.err != nil {
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *rowReader) uint() (n uint64) {
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	if r.err == nil {
		r.err = errRow
	}
	return 0
}

func (r *rowReader) time() time.Time {
	n := r.uint()
	seconds := int64(n>>1) ^ -int64(n&1) // as binary.AppendVarint folds the sign
	return time.Unix(seconds, int64(r.uint())).UTC()
}

func (r *rowReader) string() string { return r.take(r.uint()) }

// end returns what went wrong; that something is left is wrong too.
func (r *rowReader) end() error {
	if r.err == nil && r.rest != "" {
		r.err = errRow
	}
	return r.err
}

// Digest is a SHA-256, in hexadecimal where it is written as text.
type Digest [32]byte

// String returns the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("a digest of %d characters", len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}
