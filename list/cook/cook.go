package cook

import (
	"time"

	"kairan/archive"
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

// step is a row of a table. It changes the draft and says what it did, for the trace, or "".
type step struct {
	name string
	run  func(*draft) (note string)
}

// content is what becomes of every post, in the archive too.
var content = []step{
	{"well-formed", wellFormed},
	{"identify", identify},
	{"secrets", secrets},
	{"approval", approval},
	{"receipts", receipts},
	{"authentication-results", authenticationResults},
	{"anonymise", anonymise},
}

// dress is what only the copies get.
var dress = []step{
	{"foreign-fields", foreignFields},
	{"one-of-each", oneOfEach},
	{"ascii-header", asciiHeader},
	{"subject", subject},
	{"text", text},
	{"long-lines", longLines},
	{"reply-to", replyTo},
	{"list-fields", listFields},
	{"from", from}, // last: it looks at the finished copy
}

// enclose is what messages get that go into a digest.
var enclose = []step{
	{"foreign-fields", foreignFields},
	{"one-of-each", oneOfEach},
	{"ascii-header", asciiHeader},
	{"subject", subject},
	{"long-lines", longLines},
	{"reply-to", replyTo},
}

// Archives reports whether a post with that header goes into the list's archive. Authors may ask that theirs does not.
func Archives(l *list.List, h message.Header) bool {
	return l.Settings.ArchivePolicy != "never" && !archive.Declined(h)
}

// draft is a message on its way through a table.
type draft struct {
	Input
	header    message.Header
	body      []byte
	sample    []byte // a member's personal fields
	rewritten string
}

// message returns the draft as a message.
func (d *draft) message() *message.Message { return message.Parse(message.Join(d.header, d.body)) }

func (d *draft) run(table []step) (notes []string) {
	for _, s := range table {
		if note := s.run(d); note != "" {
			notes = append(notes, note)
		}
	}
	return notes
}

// Content runs the content table on a received message: what it returns is archived.
// It adds Message-ID and Date if there is none, replaces forged Authentication-Results by ours, removes secrets and, in an anonymous list, the author.
// The notes are the changes made, in words for the trace.
func Content(in Input, received *message.Message) (msg *message.Message, notes []string) {
	d := &draft{Input: in, header: received.Header(), body: received.Body()}
	notes = d.run(content)
	return d.message(), notes
}

// Rendition is a post dressed for its receivers, but for the personal fields.
type Rendition struct {
	Message []byte // CRLF lines, ASCII header, final: it is signed as it stands
	// Rewritten says why From was rewritten, or "".
	Rewritten string
	// Notes are the changes made, in words for the trace: "subject prefix", "footer appended in ISO-2022-JP".
	Notes []string
}

// Dress runs the dress table on what Content returned. sample is a member's personal fields as Personal makes them, for the check of the author's signature.
func Dress(in Input, content *message.Message, sample []byte) Rendition {
	d := &draft{Input: in, header: content.Header(), body: content.Body(), sample: sample}
	notes := d.run(dress)
	return Rendition{Message: message.Join(d.header, d.body), Rewritten: d.rewritten, Notes: notes}
}

// Enclose runs on what Content returned what makes it fit to stand in a digest. It keeps its author's From and gets no words of the
// list: the digest has these once.
func Enclose(in Input, content *message.Message) *message.Message {
	d := &draft{Input: in, header: content.Header(), body: content.Body()}
	d.run(enclose)
	return d.message()
}

// Personal returns the fields that differ from copy to copy: List-Unsubscribe and List-Unsubscribe-Post with the member's token (RFC 8058).
// With an empty token it returns what all copies share: a page that asks for the address, and the mail command.
func Personal(site *list.Site, l *list.List, token string) []byte {
	mailto := ", <mailto:" + l.Suffixed("leave").Wire() + "?subject=unsubscribe"
	if token == "" {
		return message.NewField("List-Unsubscribe", "<"+site.URL+"/-/leave/"+l.Name+">"+mailto+">").Raw
	}
	return append(
		message.NewField("List-Unsubscribe", "<"+site.UnsubscribeURL(token)+">"+mailto+"%20"+token+">").Raw,
		message.NewField("List-Unsubscribe-Post", "List-Unsubscribe=One-Click").Raw...)
}
