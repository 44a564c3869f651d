package ingest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzMbox reads anything as an mbox. Every byte must be in the span of a message or of a fault, but for empty lines at the start, and what was
// read must be what the file says between its lines' ends.
func FuzzMbox(f *testing.F) {
	const envelope = "From a@example.jp Fri May  1 01:00:00 2020\n"
	for _, seed := range []string{
		envelope + "Subject: a\n\n>From b\n\n" + envelope + "Subject: b\n\nc\n",
		envelope + "Content-Length: 60\n\n" + envelope + "Subject: b\n\nc\n\n" + envelope + "Subject: b\n\nc\n",
		envelope + "Content-Length: 99999\n\n" + envelope + "\n" + envelope,
		"junk\n" + envelope + "a:b\r\n\r\nFrom 10:00 in 2020\r\n",
		"\n\nFrom ann at example.jp  Fri May  1 01:00:00 2020\nFrom: x\n\n",
		envelope + strings.Repeat("a", 600) + "\n",
		"From ", ">From ", "\x1f\x8b", "",
	} {
		for _, d := range []Dialect{Auto, Mboxo, Mboxcl2} {
			f.Add([]byte(seed), string(d))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, dialect string) {
		end := int64(len(data) - len(bytes.TrimLeft(data, " \t\r\n\v\f")))
		first := true
		for m, err := range readMbox(bytes.NewReader(data), "x", Dialect(dialect), 500) {
			start, next := m.Start, m.End
			if fault, ok := errors.AsType[*Fault](err); ok {
				start, next = fault.Offset, fault.End
			} else if err != nil {
				t.Fatal(err)
			} else if len(m.Raw) == 0 {
				t.Fatalf("an empty message at %d", m.Start)
			}
			if start != end && !(first && start < end) || next <= start {
				t.Fatalf("after %d comes %d to %d", end, start, next)
			}
			first, end = false, next
		}
		if len(bytes.TrimSpace(data)) > 0 && end != int64(len(data)) {
			t.Fatalf("%d of %d bytes are accounted for", end, len(data))
		}
	})
}

// TestWrongLengthsTakeTime reads an mbox in which every record says that it is as long as the file.
func TestWrongLengthsTakeTime(t *testing.T) {
	t.Parallel()
	one := "From a@example.jp Fri May  1 01:00:00 2020\nContent-Length: 3000000\n\nx\n\n"
	data := strings.Repeat(one, 50_000)
	n := 0
	for _, err := range readMbox(strings.NewReader(data), "x", Mboxcl2, 4<<20) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 50_000 {
		t.Errorf("%d messages", n)
	}
}
