package cook

import (
	"time"

	"kairan/list"
	"kairan/smtpd/message"
)

// Input is what the steps may look at.
type Input struct {
	Site *list.Site
	List *list.List
	Post *list.Post // Number, MessageID and Auth are set
	Now  time.Time
}

// Content runs the content table on a received message: what it returns is archived.
// It adds a Message-ID if there is none, replaces forged Authentication-Results by ours, removes secrets and, in an anonymous list, the author.
func Content(in Input, received *message.Message) *message.Message { panic("contract") }

// Rendition is a post dressed for its receivers, but for the personal fields.
type Rendition struct {
	Message []byte // CRLF lines, final: it is signed as it stands
	// Rewritten says why From was rewritten, or "".
	Rewritten string
	// Notes are the changes made, in words for the trace: "subject prefix", "footer appended in ISO-2022-JP".
	Notes []string
}

// Dress runs the dress table on what Content returned. sample is a member's personal fields as Personal makes them, for the check of the author's signature.
func Dress(in Input, content *message.Message, sample []byte) Rendition { panic("contract") }

// Personal returns the fields that differ from copy to copy: List-Unsubscribe and List-Unsubscribe-Post with the member's token (RFC 8058).
func Personal(site *list.Site, l *list.List, token string) []byte { panic("contract") }
