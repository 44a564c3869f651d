package archive

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"kairan/storage"
)

// Archive holds the archives of all lists.
type Archive struct {
	DB       *storage.DB
	Location *time.Location // of the site: a post belongs to the month of its receipt there
	Log      *slog.Logger
}

// Entry is a post to archive.
type Entry struct {
	List     string    // opaque list ID: the folder's name
	Post     string    // opaque post ID: adding it twice is adding it once
	Number   uint64    // post number, 0 without one
	ID       string    // Message-ID without "<>"
	Received time.Time // chooses the month
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

	File   string `json:"file"` // blob
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Sum    string `json:"sum"` // SHA-256 of the record
}

// Thread is a summary for the pages that list threads.
type Thread struct {
	List     string    `json:"-"`
	Seq      uint64    `json:"-"` // of its first message
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	FromName string    `json:"from_name,omitempty"` // who began it
	Count    int       `json:"count"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	LastSeq  uint64    `json:"last_seq"`
}

// Month counts one month of a list.
type Month struct {
	Month    string `json:"-"` // "2026-01"
	Messages int    `json:"messages"`
	File     string `json:"file"`
	Length   int64  `json:"length"` // committed bytes of the mbox
}

// Add appends the entry to its month, syncs, and commits it to the index in one transaction with what within does (nil for nothing).
// A post that is there already is not added again, but within still runs.
// What a crash left behind the committed length is dealt with first: whole records are indexed, a partial one moves to lost+found and is reported.
func (a *Archive) Add(ctx context.Context, e Entry, within func(*storage.Tx, *Message) error) (*Message, error) {
	panic("contract")
}

// Recover does for every list what Add does first. It is called at start.
func (a *Archive) Recover(ctx context.Context) error { panic("contract") }

// Check reads every record and compares it with the index; it yields a sentence for each thing that is wrong.
func (a *Archive) Check(ctx context.Context) iter.Seq[string] { panic("contract") }

// Files yields the mboxes and their committed lengths, for a backup.
func Files(tx *storage.Tx) iter.Seq2[string, int64] { panic("contract") }

// ByID returns the nth message (1 for the first) of that Message-ID, or storage.ErrNotFound.
func ByID(tx *storage.Tx, list, id string, nth int) (*Message, error) { panic("contract") }

// ByNumber returns the message with that post number, or storage.ErrNotFound.
func ByNumber(tx *storage.Tx, list string, n uint64) (*Message, error) { panic("contract") }

// BySeq returns the message at that position, or storage.ErrNotFound.
func BySeq(tx *storage.Tx, list string, seq uint64) (*Message, error) { panic("contract") }

// Months yields the months that have messages, newest first.
func Months(tx *storage.Tx, list string) iter.Seq[Month] { panic("contract") }

// InMonth yields the messages of a month, oldest first.
func InMonth(tx *storage.Tx, list, month string) iter.Seq[*Message] { panic("contract") }

// InThread yields the messages of a thread, oldest first.
func InThread(tx *storage.Tx, list string, thread uint64) iter.Seq[*Message] { panic("contract") }

// Recent yields the threads of a list, the one with the newest message first.
func Recent(tx *storage.Tx, list string) iter.Seq[*Thread] { panic("contract") }

// GetThread returns the summary of a thread, or storage.ErrNotFound.
func GetThread(tx *storage.Tx, list string, thread uint64) (*Thread, error) { panic("contract") }

// Raw returns the message as it was archived, lines ended by CRLF.
func (a *Archive) Raw(m *Message) ([]byte, error) { panic("contract") }

// Public returns raw as it may leave the archive: without receivers' traces, bounce addresses and personal tokens. Every outlet for strangers passes it.
func Public(raw []byte) []byte { panic("contract") }
