package archive

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func rowOfAll() Message {
	return Message{
		Post: "p1", Number: 123, ID: "m1@example.jp", Nth: 2, Received: time.Date(2026, 1, 31, 16, 0, 0, 5e8, time.UTC),
		Date: time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), FromName: "佐藤", FromAddr: "sato@example.jp", Subject: "回覧",
		Parents: []string{"a@example.jp", "b@example.jp"}, Thread: 1 << 40, Attached: 3, Old: "pipermail/1", Hidden: true, Redacted: true,
		File: "archive/list1/2026-02.mbox", Offset: 1 << 33, Length: 4096, Sum: Digest{1, 2, 31: 255},
	}
}

func TestRow(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]Message{
		"all":        rowOfAll(),
		"least":      {Post: "p", ID: "i", Received: time.Unix(0, 0).UTC(), Date: time.Unix(0, 0).UTC(), Thread: 1, File: "f", Length: 1},
		"after 2038": {ID: "i", Received: time.Date(9998, 12, 31, 23, 59, 59, 999999999, time.UTC), Date: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		row, err := m.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		old, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for form, row := range map[string][]byte{"binary": row, "JSON": old} {
			got := Message{Subject: "of another row"}
			if err := got.UnmarshalBinary(row); err != nil {
				t.Errorf("%s in %s: %v", name, form, err)
			}
			if form == "JSON" && m.Subject == "" {
				got.Subject = ""
			}
			if diff := cmp.Diff(m, got); diff != "" {
				t.Errorf("%s in %s: %s", name, form, diff)
			}
			var p placeRow
			if err := p.UnmarshalBinary(row); err != nil || p.thread != m.Thread || p.hidden != m.Hidden {
				t.Errorf("%s in %s: place %+v, %v", name, form, p, err)
			}
		}
	}
}

func TestRowOfThread(t *testing.T) {
	t.Parallel()
	want := Thread{ID: "a@example.jp", Subject: "回覧", FromName: "佐藤", Count: 3, First: time.Unix(5, 6).UTC(), Last: time.Unix(7, 0).UTC(), LastSeq: 300}
	row, _ := want.AppendBinary(nil)
	old, _ := json.Marshal(want)
	for _, row := range [][]byte{row, old} {
		var got Thread
		if err := got.UnmarshalBinary(row); err != nil || got != want {
			t.Errorf("%q: %+v, %v", row, got, err)
		}
	}
	for n := range row {
		if new(Thread).UnmarshalBinary(row[:n]) == nil {
			t.Errorf("%d bytes of %d are read", n, len(row))
		}
	}
}

func TestRowWithBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	m := Message{ID: "a\xff", Subject: "\xe5\x9b"}
	row, _ := m.AppendBinary(nil)
	var got Message
	if err := got.UnmarshalBinary(row); err != nil || got.ID != "a\ufffd" || got.Subject != "\ufffd" {
		t.Errorf("%q, %q, %v", got.ID, got.Subject, err)
	}
}

func TestDamagedRow(t *testing.T) {
	t.Parallel()
	m := rowOfAll()
	row, _ := m.AppendBinary(nil)
	for n := range row {
		if err := new(Message).UnmarshalBinary(row[:n]); err == nil {
			t.Errorf("%d bytes of %d are read", n, len(row))
		}
	}
	for name, row := range map[string][]byte{
		"longer":        append(row[:len(row):len(row)], 0),
		"newer":         append([]byte{rowVersion + 1}, row[1:]...),
		"huge number":   append([]byte{rowVersion}, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"...),
		"broken JSON":   []byte(`{"id":`),
		"short digest":  []byte(`{"sum":"00"}`),
		"many parents":  append(row[:len(row)-2-2*len("a@example.jp")-1:len(row)], 0xff, 0xff, 0xff, 0x7f),
		"nothing":       {},
		"only a number": {rowVersion, 0x80},
	} {
		if err := new(Message).UnmarshalBinary(row); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := new(placeRow).UnmarshalBinary([]byte{rowVersion, 0x80}); err == nil {
		t.Error("a place that is cut off: no error")
	}
}

func FuzzRow(f *testing.F) {
	m := rowOfAll()
	row, _ := m.AppendBinary(nil)
	f.Add(row)
	f.Fuzz(func(t *testing.T, row []byte) {
		var m Message
		if m.UnmarshalBinary(row) != nil {
			return
		}
		again, err := m.AppendBinary(nil)
		var got Message
		if err != nil || got.UnmarshalBinary(again) != nil || !cmp.Equal(m, got) {
			t.Errorf("%+v is %+v afterwards", m, got)
		}
	})
}
