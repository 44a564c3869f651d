package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"

	"kairan/archive/mbox"
)

// Dialect is how an mbox is written.
type Dialect string

// The dialects.
const (
	Auto    Dialect = ""        // tell by what is found
	Mboxo   Dialect = "mboxo"   // "From " is quoted once, and ">From " is not
	Mboxrd  Dialect = "mboxrd"  // every line of ">"s and "From " gets one more
	Mboxcl  Dialect = "mboxcl"  // mboxo with a Content-Length
	Mboxcl2 Dialect = "mboxcl2" // a Content-Length, and nothing is quoted
)

// reader splits an mbox into records.
type reader struct {
	r       *bufio.Reader
	limit   int // bytes of a record
	dialect Dialect

	data    []byte // of the last record: its room is used again
	off     int64  // of the next byte
	pending []byte // read ahead, and to be read again from pos
	pos     int
	broken  bool // a record had no Content-Length, or a wrong one
	failed  int  // lengths that were looked at in vain
	terse   bool // the first envelope line tells no time: others may be "From" and a word
}

// record is what stands from one envelope line to the next.
type record struct {
	start, end int64
	envelope   []byte
	data       []byte // after the envelope line, with the empty line that ends it
	long       bool   // longer than the limit: data is missing
	unquoted   bool   // a line that looks like an envelope is in it
}

// blank reports whether there is nothing to tell about a record.
func (rec record) blank() bool {
	return rec.envelope == nil && !rec.long && len(bytes.TrimSpace(rec.data)) == 0
}

// readMbox yields the messages of an mbox, and a *Fault for what is none. Any other error is the last.
func readMbox(r io.Reader, file string, dialect Dialect, limit int) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		in := &reader{r: bufio.NewReaderSize(r, 64<<10), limit: limit, dialect: dialect}
		for position := uint64(0); ; {
			rec, err := in.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Message{}, err)
				return
			}
			m, err := in.message(rec, file)
			m.Position = position
			if rec.envelope != nil {
				position++
			}
			if rec.blank() {
				continue // empty lines before the first message
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// message makes a message of a record, or says what is wrong with it.
func (in *reader) message(rec record, file string) (Message, error) {
	m := Message{File: file, Start: rec.start, End: rec.end, Envelope: envelopeTime(rec.envelope), Mangled: isMangled(rec.envelope)}
	switch {
	case rec.long:
		return m, fault(file, rec.start, rec.end, "the message is longer than "+strconv.Itoa(in.limit>>20)+" MB")
	case rec.envelope == nil:
		return m, fault(file, rec.start, rec.end, "there is no envelope line (From …) before this")
	case len(bytes.TrimSpace(rec.data)) == 0:
		return m, fault(file, rec.start, rec.end, "the message is empty")
	}
	if bytes.HasPrefix(rec.data, []byte("X-Kairan-ID: ")) {
		own, err := mbox.Parse(append(bytes.Clone(rec.envelope), rec.data...))
		if err == nil && own.Checked {
			m.Own, m.Raw = &own, own.Raw
			return m, nil
		}
	}
	m.Raw = in.restore(rec)
	return m, nil
}

// keptRoom is how large a record may be whose room is used again, in bytes.
const keptRoom = 1 << 20

// next returns the next record, or io.EOF. Its data is good until the next call.
func (in *reader) next() (record, error) {
	rec := record{start: in.off, data: in.data[:0]}
	line, err := in.line()
	if err != nil && err != io.EOF || len(line) == 0 {
		return rec, err
	}
	blank := true
	if like := in.like(line, rec.start == 0); like != unlike && in.begins(like) {
		rec.envelope = bytes.Clone(line)
		in.terse = in.terse || envelopeLike(line) == unlike
	} else {
		rec.data = append(rec.data, line...)
		blank = isEmpty(line)
	}
	header, length, body := true, -1, 0 // Content-Length, and bytes of the body so far
	for {
		line, err := in.line()
		if err != nil && err != io.EOF {
			return rec, err
		}
		if len(line) == 0 {
			break
		}
		if in.ends(line, blank && !header || rec.envelope == nil && blank) {
			if skip := length - body; header || skip <= len(line) || !in.trust(&rec, line, skip) {
				in.back(line)
				break
			}
			body, blank = length, false
			continue
		}
		switch {
		case !header:
			body += len(line)
		case isEmpty(line):
			header = false
		case length < 0:
			length = contentLength(line)
		}
		blank = isEmpty(line) && line[len(line)-1] == '\n'
		in.keep(&rec, line)
	}
	rec.end = in.off
	in.judge(rec, length, body)
	if in.data = rec.data; cap(in.data) > keptRoom {
		in.data = nil
	}
	return rec, nil
}

// ends reports whether a line begins the next record.
func (in *reader) ends(line []byte, blank bool) bool {
	like := in.like(line, false)
	return (like == strict || like != unlike && blank) && in.begins(like)
}

// like is [envelopeLike] for a line of this file: programs that write no time write none in the whole file.
func (in *reader) like(line []byte, first bool) likeness {
	like := envelopeLike(line)
	if rest, ok := envelopeWords(line); like == unlike && ok && (first || in.terse && !bytes.ContainsAny(rest, " \t")) {
		return bare
	}
	return like
}

// begins reports whether what follows an envelope line begins a message, if only an empty one. The line is read, and what follows is not.
func (in *reader) begins(like likeness) bool {
	ahead := firstLine(in.ahead())
	if like == bare {
		return isWholeField(ahead)
	}
	return isField(ahead) || like == strict && isEmpty(ahead)
}

// ahead returns some of what follows.
func (in *reader) ahead() []byte {
	if in.pos < len(in.pending) {
		return in.pending[in.pos:]
	}
	ahead, _ := in.r.Peek(maxEnvelope) // an error comes again when it is read
	return ahead
}

func firstLine(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1]
	}
	return b
}

// maxFailed bounds how often a file is read twice because of wrong lengths.
const maxFailed = 20

// trust takes skip more bytes into the record, the first of which are line, if a record or the end of the file follows them, and if
// this file keeps its lengths. Otherwise they are read again.
func (in *reader) trust(rec *record, line []byte, skip int) bool {
	asked := in.dialect == Mboxcl || in.dialect == Mboxcl2
	if !asked && (in.dialect != Auto || in.broken) || skip > in.limit || in.failed > maxFailed {
		return false
	}
	data := append(make([]byte, 0, skip), line...)
	start := in.off - int64(len(line))
	for len(data) < skip {
		next, err := in.line()
		if data = append(data, next...); err != nil || len(next) == 0 {
			break
		}
	}
	if len(data) == skip && in.atRecord() {
		in.keep(rec, data)
		rec.unquoted = true
		return true
	}
	in.pending, in.pos = append(data, in.pending[in.pos:]...), len(line)
	in.off = start + int64(len(line))
	in.broken = true
	in.failed++
	return false
}

// atRecord reports whether the file ends here, or a record begins, after an empty line or not.
func (in *reader) atRecord() bool {
	ahead := bytes.TrimLeft(in.ahead(), "\r\n")
	return len(ahead) == 0 || envelopeLike(firstLine(ahead)) != unlike
}

// judge notes whether a record kept its Content-Length; an empty line may follow what it counts.
func (in *reader) judge(rec record, length, body int) {
	rest := body - length
	if rec.envelope != nil && (length < 0 || rest < 0 || rest > 2) {
		in.broken = true
	}
}

// keep adds bytes to a record within the limit.
func (in *reader) keep(rec *record, line []byte) {
	if rec.long = rec.long || len(rec.data)+len(line) > in.limit; rec.long {
		rec.data = nil
		return
	}
	rec.data = append(rec.data, line...)
}

// line returns the next line with its end, or the first bytes of a long one; at the end of the file nothing, with io.EOF.
// It is valid until the next call.
func (in *reader) line() ([]byte, error) {
	if in.pos < len(in.pending) {
		line := firstLine(in.pending[in.pos:])
		in.pos += len(line)
		in.off += int64(len(line))
		return line, nil
	}
	in.pending, in.pos = nil, 0
	line, err := in.r.ReadSlice('\n')
	in.off += int64(len(line))
	if errors.Is(err, bufio.ErrBufferFull) || err == io.EOF && len(line) > 0 {
		err = nil
	}
	if bytes.HasPrefix(line, []byte("From ")) {
		line = bytes.Clone(line) // looking at what follows it moves the buffer
	}
	return line, err
}

// back gives a line back that was read last.
func (in *reader) back(line []byte) {
	if in.off -= int64(len(line)); in.pos > 0 {
		in.pos -= len(line) // it came from there
		return
	}
	in.pending = bytes.Clone(line)
}

// contentLength reads the length from a header line, or returns -1.
func contentLength(line []byte) int {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Length")) {
		return -1
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// restore makes the message of a record: quoting and the empty line at its end are taken away, and lines end in CRLF.
func (in *reader) restore(rec record) []byte {
	b := make([]byte, 0, len(rec.data)+bytes.Count(rec.data, []byte("\n"))+2)
	quoted := !rec.unquoted && in.dialect != Mboxcl2
	top := true
	for line := range bytes.Lines(rec.data) {
		if bare := bytes.TrimLeft(line, ">"); len(bare) < len(line) && bytes.HasPrefix(bare, []byte("From ")) {
			if top {
				continue // the envelope line of an earlier hop
			}
			if quoted && (in.dialect == Auto || in.dialect == Mboxrd || len(line)-len(bare) == 1) {
				line = line[1:]
			}
		}
		top = false
		line = bytes.TrimSuffix(line, []byte("\n"))
		b = append(append(b, bytes.TrimSuffix(line, []byte("\r"))...), "\r\n"...)
	}
	rest, blank := bytes.CutSuffix(b, []byte("\r\n\r\n"))
	if blank && (bytes.Contains(rest, []byte("\r\n\r\n")) || bytes.HasPrefix(rest, []byte("\r\n"))) {
		b = b[:len(b)-2] // the separator, and not the end of a header without a body
	}
	return b
}
