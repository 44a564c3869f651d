package archive

import (
	"errors"
	"net/http"
	"time"
)

// ErrForbidden says that the reader may not read this archive.
var ErrForbidden = errors.New("not for this reader")

// Info is what the reading pages need to know about a list.
type Info struct {
	ID          string // opaque
	Name        string // LIST in URLs
	Title       string
	Address     string // the posting address
	Description string // in the reader's language
	Language    string // the list's own
	Public      bool   // anybody may read; otherwise answers are Cache-Control: private, no-store
	Noindex     bool   // not for search engines; true for every archive that is not public
	Decides     bool   // this reader may hide and redact its messages
	// Withdraw is how long after its receipt an author may withdraw a message; 0 is never.
	Withdraw   time.Duration
	Reader     []string // addresses of the reader, none of a stranger
	Advertised bool     // shown on the site's front page
	Closed     bool     // removed: only the archive is left
}

// Access says who may read which archive. It is implemented where lists and sessions are known.
type Access interface {
	// Archive returns the list that name means (LIST or a whole address), if this request's reader may read its archive.
	// It returns storage.ErrNotFound for a list that is not there, and ErrForbidden with a filled Info for one that is not for this reader.
	Archive(r *http.Request, name string) (Info, error)
	// Archives returns the advertised lists whose archives this reader may read, and those of the reader's own.
	Archives(r *http.Request) ([]Info, error)
}
