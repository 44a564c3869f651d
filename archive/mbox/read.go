package mbox

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrJunk says that there is something before the first envelope line.
	ErrJunk = errors.New("the file has no envelope line here")
	// ErrTooLong says that a record is longer than the reader's limit.
	ErrTooLong = errors.New("the record is too long")
)

// Reader reads the records of an mbox one after another.
type Reader struct {
	r          *bufio.Reader
	max        int
	off        int64 // of the next byte to read from r
	start, end int64 // of the last record
	ended      bool  // the last record has the empty line that ends it
	next       []byte
	expect     int // about how long the records are, 0 if that is not known
}

const readAhead = 32 << 10 // bytes

// NewReader returns a reader whose records, as they lie in the file, are no longer than limit bytes.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, readAhead), max: limit}
}

// Span returns where the last record, or what [Reader.Next] returned an error for, begins and ends in the file.
func (r *Reader) Span() (start, end int64) { return r.start, r.end }

// Next returns the next record, or io.EOF after the last.
// After ErrJunk and ErrTooLong it goes on with the record that follows; every other error is final.
func (r *Reader) Next() (Record, error) {
	first := r.next
	r.start = r.off - int64(len(first))
	data, err := r.gather()
	if err != nil && !errors.Is(err, ErrTooLong) {
		return Record{}, err
	}
	r.end = r.off - int64(len(r.next))
	switch {
	case first != nil && err != nil:
		return Record{}, err
	case first != nil:
		return parse(first, data, r.ended), nil
	case len(bytes.TrimSpace(data)) > 0 || err != nil:
		return Record{}, ErrJunk
	case r.next == nil:
		return Record{}, io.EOF
	}
	return r.Next() // once: there is an envelope line now
}

// gather reads up to the next envelope line, which it leaves in r.next, and
// returns what stands before it without the empty line between.
// What is longer than the limit is skipped, with ErrTooLong.
func (r *Reader) gather() (data []byte, err error) {
	r.next, r.ended = nil, false
	lineStart, blank := true, r.off == 0
	for {
		line, readErr := r.r.ReadSlice('\n')
		if readErr != nil && readErr != bufio.ErrBufferFull && readErr != io.EOF {
			return nil, readErr
		}
		r.off += int64(len(line))
		if lineStart && blank && isEnvelope(line) {
			r.next = bytes.Clone(line)
		}
		if r.next != nil || readErr == io.EOF && len(line) == 0 {
			break
		}
		blank = lineStart && len(bytes.TrimRight(line, "\r\n")) == 0
		lineStart = line[len(line)-1] == '\n'
		if err == nil && len(data)+len(line) > r.max {
			data, err = nil, ErrTooLong
		}
		if data == nil && err == nil {
			data = make([]byte, 0, r.expect)
		}
		if err == nil {
			data = append(data, line...)
		}
	}
	if blank && err == nil && len(data) > 0 {
		r.ended = true
		data = data[:len(data)-len(lastLine(data))]
	}
	return data, err
}

// lastLine returns the last line of data, which ends in LF.
func lastLine(data []byte) []byte {
	return data[bytes.LastIndexByte(data[:len(data)-1], '\n')+1:]
}

// isEnvelope reports whether a line looks like "From somebody … hh:mm … yyyy".
func isEnvelope(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok || len(rest) > 1000 || !bytes.HasSuffix(rest, []byte("\n")) {
		return false
	}
	fields := bytes.Fields(rest)
	clock, year := false, false
	for _, f := range fields[min(1, len(fields)):] {
		clock = clock || len(f) >= 4 && len(f) <= 8 && bytes.IndexByte(f, ':') > 0
		year = year || len(f) == 4 && f[0] >= '1' && f[0] <= '9' && isDigits(f)
	}
	return clock && year
}

func isDigits(b []byte) bool {
	return len(bytes.Trim(b, "0123456789")) == 0
}

// Parse returns the only record of data, which is a whole one as it lies in a file.
func Parse(data []byte) (Record, error) {
	// Most records are far smaller than what a reader of files reads ahead.
	r := &Reader{r: bufio.NewReaderSize(bytes.NewReader(data), min(len(data), readAhead)), max: len(data), expect: len(data)}
	rec, err := r.Next()
	if err == nil && r.end != int64(len(data)) {
		err = errors.New("there is more than one record")
	}
	return rec, err
}

// Message returns the message of data, a whole record as [Append] wrote it, in the memory of buf if it has room. Nothing is checked: it is for who
// knows the sum of data.
func Message(data, buf []byte) ([]byte, error) {
	_, rest, _ := bytes.Cut(data, []byte("\n"))
	_, rest, form, ok := cutFields(bytes.TrimSuffix(rest, []byte("\n")))
	if !ok {
		rec, err := Parse(data)
		return rec.Raw, err
	}
	length, _, kept := parseForm(form)
	if length < 0 || length > 2*len(rest) {
		return nil, errors.New("the record does not tell the length of its message")
	}
	return restoreOwn(buf, rest, length, kept), nil
}

// restoreOwn returns a message that we wrote, in the memory of buf if it has room.
func restoreOwn(buf, rest []byte, length int, kept bool) []byte {
	raw := restore(slices.Grow(buf[:0], length+2), rest, !kept)
	if kept && len(raw) == length+1 {
		return raw[:length] // the line end that was added
	}
	return raw
}

// parse makes a record of an envelope line and what follows it.
func parse(envelope, data []byte, ended bool) Record {
	rec := Record{Received: envelopeTime(envelope)}
	own, rest, form, ok := cutFields(data)
	length, sum, kept := parseForm(form)
	if !ok || length < 0 || length > 2*len(rest) {
		rec.Raw = restoreForeign(data)
		return rec
	}
	own.Raw = restoreOwn(nil, rest, length, kept)
	got := sha256.Sum256(own.Raw)
	own.Checked = ended && own.Post != "" && len(own.Raw) == length && hex.EncodeToString(got[:]) == sum
	return own
}

// restore undoes the quoting of lines and, if asked, gives each line its CRLF.
func restore(b, data []byte, crlf bool) []byte {
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		ended := end >= 0
		if !ended {
			end = len(data)
		}
		line := data[:end]
		if end > 0 && line[0] == '>' && isFromLine(line) {
			line = line[1:]
		}
		if b = append(b, line...); !ended {
			return b
		}
		if crlf {
			b = append(b, '\r')
		}
		b = append(b, '\n')
		data = data[end+1:]
	}
	return b
}

// restoreForeign is restore for a record of another program, whose lines may end in LF, CRLF or the end of the file.
func restoreForeign(data []byte) []byte {
	b := make([]byte, 0, len(data)+len(data)/16)
	for line := range bytes.Lines(data) {
		if line[0] == '>' && isFromLine(line) {
			line = line[1:]
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		b = append(append(b, bytes.TrimSuffix(line, []byte("\r"))...), "\r\n"...)
	}
	return b
}

// cutFields takes the X-Kairan fields off data. ok is false if they are not there as we write them.
func cutFields(data []byte) (rec Record, rest []byte, form string, ok bool) {
	for range 7 {
		line, after, found := bytes.Cut(data, []byte("\n"))
		name, value, colon := strings.Cut(string(line), ": ")
		if !found || !colon {
			return rec, nil, "", false
		}
		data = after
		var err error
		valid := true
		switch name {
		case postField:
			rec.Post, valid = unquote(value)
		case numberField:
			rec.Number, err = strconv.ParseUint(value, 10, 64)
		case idField:
			rec.ID, valid = unquote(value)
		case seqField:
			rec.Seq, err = strconv.ParseUint(value, 10, 64)
		case receivedField:
			rec.Received, err = time.Parse(time.RFC3339Nano, value)
		case oldField:
			rec.Old, valid = unquote(value)
		case rawField:
			return rec, data, value, true
		default:
			valid = false
		}
		if err != nil || !valid {
			return rec, nil, "", false
		}
	}
	return rec, nil, "", false
}

// parseForm reads the value of X-Kairan-Raw; a length below 0 says that it cannot be read.
func parseForm(value string) (length int, sum string, kept bool) {
	number, sum, _ := strings.Cut(value, " ")
	sum, kept = strings.CutSuffix(sum, " kept")
	length, err := strconv.Atoi(number)
	if err != nil {
		return -1, "", false
	}
	return length, sum, kept
}

// envelopeTime reads the time of an envelope line, or returns the zero time.
func envelopeTime(line []byte) time.Time {
	fields := strings.Fields(string(line))
	if len(fields) < 7 {
		return time.Time{}
	}
	t, err := time.Parse("Mon Jan _2 15:04:05 2006", strings.Join(fields[2:7], " "))
	if err != nil {
		return time.Time{}
	}
	return t
}
