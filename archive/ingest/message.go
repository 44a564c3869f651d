package ingest

import (
	"fmt"
	"time"

	"kairan/archive/mbox"
)

// Message is one message of a source.
type Message struct {
	File     string    // the source, as it was named, or the file in it
	Start    int64     // where it begins in the file, in bytes, before compression
	End      int64     // and ends
	Position uint64    // how many came before it in the file
	Envelope time.Time // of the envelope line, or zero
	Modified time.Time // of the file
	Mangled  bool      // addresses are written as "ann at example.jp"
	Raw      []byte    // the message, lines ended by CRLF

	Own *mbox.Record // the record, if it is one of Kairan's and undamaged
}

// Fault is a piece of a source that cannot be read as a message.
type Fault struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"` // where it begins, in bytes, before compression
	ID     string `json:"message_id,omitempty"`
	End    int64  `json:"-"`
	Why    string `json:"why"`
}

// Error implements error.
func (f *Fault) Error() string { return f.Place() + ": " + f.Why }

// Place says which message it is about.
func (f *Fault) Place() string {
	place := fmt.Sprintf("%s: byte %d", f.File, f.Offset)
	if f.ID != "" {
		place += " <" + f.ID + ">"
	}
	return place
}

func fault(file string, start, end int64, why string) *Fault {
	return &Fault{File: file, Offset: start, End: end, Why: why}
}
