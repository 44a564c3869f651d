package archive

import (
	"log/slog"
	"sync"
	"time"

	"kairan/storage"
)

// Archive holds the archives of all lists.
type Archive struct {
	DB       *storage.DB
	Location *time.Location // of the site: a post belongs to the month of its receipt there; UTC if nil
	Log      *slog.Logger
	// Withdrawn is what readers find in place of the text of a message that was redacted.
	Withdrawn string
	// Acted is called once with each act, in the transaction that carries it out; list is "" for one about the whole site. Nil is nobody.
	Acted func(tx *storage.Tx, list string, act Act) error

	mu      sync.Mutex // protects what follows
	writers map[string]*writer
	news    chan struct{} // closed when something is archived; nil while nobody waits
}

// Entry is a post to archive.
type Entry struct {
	List     string    // opaque list ID: the folder's name
	Post     string    // opaque post ID: adding it twice is adding it once
	Number   uint64    // post number, 0 without one
	ID       string    // Message-ID without "<>"; a message that has none gets one under no-message-id.invalid
	Received time.Time // chooses the month
	Old      string    // what it was called in the archive it comes from ([OldPipermail]), or ""
	Raw      []byte    // the message, lines ended by CRLF
}

// Message is what the index knows about an archived message.
type Message struct {
	List   string `json:"-"`
	Seq    uint64 `json:"-"` // position in the list's archive, from 1, in the order of arrival
	Post   string `json:"post"`
	Number uint64 `json:"number,omitempty"`
	ID     string `json:"id"`            // Message-ID without "<>"
	Nth    int    `json:"nth,omitempty"` // 2 for the second message of that ID; 0 and 1 are the first

	Received time.Time `json:"received"`
	Date     time.Time `json:"date"` // the Date field if it is believable, else Received
	FromName string    `json:"from_name,omitempty"`
	FromAddr string    `json:"from_addr,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	Parents  []string  `json:"parents,omitempty"` // Message-IDs of References and In-Reply-To, nearest last, at most 50
	Thread   uint64    `json:"thread"`            // Seq of the thread's first message
	Attached int       `json:"attached,omitempty"`
	Old      string    `json:"old,omitempty"`      // Entry.Old
	Hidden   bool      `json:"hidden,omitempty"`   // not for readers
	Redacted bool      `json:"redacted,omitempty"` // readers see that it was there, not what it said

	File   string `json:"file"` // blob
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Sum    Digest `json:"sum"` // of the record

	// Unnamed are people whom readers do not find in it; the functions that read messages set it.
	Unnamed []Person `json:"-"`
}

// Thread is a summary for the pages that list threads.
type Thread struct {
	List     string    `json:"-"`
	Seq      uint64    `json:"-"` // of its first message
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	FromName string    `json:"from_name,omitempty"` // who began it
	Count    int       `json:"count"`               // messages for readers
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	LastSeq  uint64    `json:"last_seq"`
}

// Month counts one month of a list.
type Month struct {
	Month    string `json:"-"`                // "2026-01"
	Messages int    `json:"messages"`         // for readers
	Hidden   int    `json:"hidden,omitempty"` // others
	File     string `json:"file"`
	Length   int64  `json:"length"` // committed bytes of the mbox
}
