package templates

import (
	"html/template"
	"strconv"
	"time"
)

// Time is a moment for a page: for machines (RFC 3339) and for people.
type Time struct {
	Machine, Human string
	Offset         string // of the time zone: "+09:00"
}

// IsZero reports whether there is no moment to show.
func (t Time) IsZero() bool { return t.Machine == "" }

// Under returns a moment as it stands under or behind another: without the day where it is the same.
func (t Time) Under(above Time) Time {
	if day := t.day(); day != "" && day == above.day() {
		t.Human = t.Human[len(day)+1:]
	}
	return t
}

// day is the part of Human before the time of day; "" where that is not shown.
func (t Time) day() string {
	const clock = len(" 15:04")
	if cut := len(t.Human) - clock; cut > 0 && t.Human[len(t.Human)-3] == ':' {
		return t.Human[:cut]
	}
	return ""
}

// NewTime writes t, which carries the time zone to show, in a language. The zero time gives the zero Time.
func NewTime(lang string, t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	b := make([]byte, 0, 80) // one piece of memory for all three: a page has hundreds of times
	b = t.AppendFormat(b, time.RFC3339)
	machine := len(b)
	b = t.AppendFormat(appendDate(b, lang, t), " 15:04")
	human := len(b)
	s := string(t.AppendFormat(b, "-07:00"))
	return Time{Machine: s[:machine], Human: s[machine:human], Offset: s[human:]}
}

// NewDate is NewTime without the time of day for people.
func NewDate(lang string, t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{Machine: t.Format(time.RFC3339), Human: string(appendDate(nil, lang, t))}
}

// appendDate writes a day for people.
func appendDate(b []byte, lang string, t time.Time) []byte {
	if lang != "ja" {
		return t.AppendFormat(b, "Mon 2 Jan 2006")
	}
	const weekdays = "日月火水木金土" // three bytes each
	day := 3 * int(t.Weekday())
	b = append(t.AppendFormat(b, "2006年1月2日（"), weekdays[day:day+3]...)
	return append(b, "）"...)
}

// NewMonth writes a month such as "2026-01" in a language.
func NewMonth(lang, month string) string {
	t, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	if lang == "ja" {
		return t.Format("2006年1月")
	}
	return t.Format("January 2006")
}

// MonthNames returns the short names of the months in a language.
func MonthNames(lang string) []string {
	var names []string
	for m := time.January; m <= time.December; m++ {
		if lang == "ja" {
			names = append(names, strconv.Itoa(int(m))+"月")
		} else {
			names = append(names, m.String()[:3])
		}
	}
	return names
}

// Home is the view of page "home": the lists of the site.
type Home struct {
	Lists  []ListRow
	Search string     // address of the search form, "" for none
	Find   bool       // whether there is a form to find lists by
	Query  string     // what is looked for among them
	Pages  []PageLink // where there is more than one
}

// ListRow is a list on the front page.
type ListRow struct {
	Title, Href, Address, Description string
	Private                           bool
	Last                              Time // of the newest message, zero when there is none to show
}

// List is the view of page "list".
type List struct {
	Title, Address, Description  string
	Post, Join, Leave, Owner     string // mailto links; "" where there is none
	JoinBox                      JoinBox
	Announce, Closed             bool // only the owners post; the list is gone and only its archive left
	ArchiveShown, ArchivePrivate bool
	Front                        Front
	Search                       string // address of the search form, "" for none
}

// Front is what the page of a list shows of its archive.
type Front struct {
	Last                          Time // date of the newest message; zero where there is none
	Quiet                         bool // nothing came lately
	LatelyMessages, LatelyThreads int  // of the last four weeks; 0 where they were not counted
	Threads                       []ThreadRow
	Busy                          []ThreadRow // those in which most was written lately
	Total                         int         // messages
	Years, Older                  []Year      // newest first
	OlderYears                    string      // "2006–2022"
	OlderMessages                 int
}

// Year is a row of months.
type Year struct {
	Year     string
	Messages int
	Months   []MonthLink // twelve
}

// MonthLink is a month; without Href it has no messages.
type MonthLink struct {
	Href, Name, Short string // Name is "January 2026", Short "Jan"
	Messages          int
	Level             int // from 1 to 4: how busy it was beside the others; 0 without messages
}

// ThreadRow is a thread in a list of threads.
type ThreadRow struct {
	Href, Subject, From string
	Count               int
	Lately              int // messages of the last four weeks
	Last                Time
	Latest              string // address of the newest message
	Seq                 uint64 // of the newest message, for ?since=m123
}

// Month is the view of page "month": its threads, each with its messages of the month.
type Month struct {
	Name       string
	Messages   int
	Prev, Next Link   // months
	New        int    // messages since the reader's last visit
	NewFrom    string // address of the first of them, "" for none
	Threads    []MonthThread
	Pages      []PageLink // empty when all threads are on one page
}

// PageLink leads to a part of a long page.
type PageLink struct {
	Href, Text string
	Current    bool
}

// MonthThread is a thread on a month's page.
type MonthThread struct {
	Href, Subject string
	Earlier       bool // it began in an earlier month
	Rows          []OutlineRow
	More          int // messages beyond those shown
}

// OutlineRow is a message in an outline; Depth is 0 for a thread's first, and at most 8.
type OutlineRow struct {
	Depth         int
	Href, From    string
	Subject       string // "" where it only repeats that of the message answered
	Sent          Time
	Current       bool
	New, FirstNew bool // since the reader's last visit; the first such on a page of a month
	HasAttachment bool
}

// Message is the view of page "message".
type Message struct {
	Post
	Canonical              string
	Prev, Next             Link // in the list, by time
	ThreadPrev, ThreadNext Link // in the thread, as it reads
	Thread                 string
	ThreadCount            int
	Outline                []OutlineRow // empty when the thread is too long to show here
	Recipients, Cc         string
	Number                 string
	Decide                 []Link // buttons for who may decide about the message: where they post to
	Join                   string // where who may do so posts what it is to answer
}

// Thread is the view of page "thread".
type Thread struct {
	Canonical   string
	Subject     string
	Count       int
	People      int // 0 where they were not counted
	First, Last Time
	Latest      string       // address of the newest message
	Orders      []PageLink   // by reply or by time; empty where there is nothing to choose
	New         int          // messages since the reader's last visit
	NewFrom     string       // address of the first of them, "" for none
	Seq         uint64       // of the newest message, for ?since=m123
	Outline     []OutlineRow // of this page
	Posts       []Post
	Pages       []PageLink // empty when all messages are on one page
	Prev, Next  Link       // threads of the list, by their beginning
}

// Post is one message as it is read, alone or in its thread.
type Post struct {
	ID                string // Message-ID without "<>"
	Anchor            string // id in the page
	Depth             int
	Subject           string // "" where it only repeats the thread's
	From, FromAddress string // FromAddress is masked for strangers; who gave no name is called by it
	Initial           string // the first letter of the name, for the eye
	Sent              Time
	Href, Raw, Reply  string
	InReplyTo         Link // the message answered
	New, FirstNew     bool // since the reader's last visit; the first such in its thread
	Blocks            []Block
	Attachments       []Attachment
	Cut               bool   // the text was too long to show whole
	Preview           string // the beginning of the text, for strangers
}

// Block is a piece of a body. HTML is safe: archive/render made it.
type Block struct {
	Kind         string // "text", "quote" or "signature"
	Fold         bool   // shown only on demand
	Preformatted bool   // columns matter: lines are not wrapped
	Lines        int
	HTML         template.HTML
}

// Attachment is a file that came with a message.
type Attachment struct {
	Href, Name, Kind, Size string
	Bytes                  int // Size, for programs

	HTML  template.HTML // the text of a file of text, safe: archive/render made it; "" for none
	Lines int
	Cut   bool // there is more of it

	Message *Enclosed // what it says if it is a message; nil for another file
}

// Enclosed is a message that came within another.
type Enclosed struct {
	From, Subject string // "" for none
	Sent          Time
	Blocks        []Block
	Attachments   []Attachment
	Cut           bool // the text was too long to show whole
}

// Why is the view of page "why": a reason in every language.
type Why struct {
	Name     string
	Sections []Reason
}

// Reason is what a rule says to somebody whose post it held or refused.
type Reason struct {
	Lang, Title, Means, Do string
}

// Unsubscribe is the view of page "unsubscribe".
type Unsubscribe struct {
	State         string // "confirm", "left", "already" or "undone"
	List, Address string
	ListHref      string
	Action        string // where the button posts to
	Undo          string // address that takes the departure back, or ""
	UndoDays      int
	Join          string // mailto link to join again
}

// Leave is the view of page "leave": how to leave a list by mail.
type Leave struct {
	List, Address, ListHref, Leave string
}

// Notice is the view of page "notice": an error or another short message.
type Notice struct {
	Text   string
	SignIn string // address of the sign-in page, or ""
	Help   Link   // who could help, or nobody
}

// Outbox is the view of page "outbox": the copies that the demo would have sent.
type Outbox struct {
	Recipients []Recipient
	Copies     int
}

// Recipient is a mailbox of the demo.
type Recipient struct {
	Address string
	Copies  []CopyRow
}

// CopyRow is one copy in a mailbox.
type CopyRow struct {
	Href, Subject, From string
	Sent                Time
}

// Copy is the view of page "copy": one copy as it left.
type Copy struct {
	Recipient, Sender, Subject string
	Sent                       Time
	Back, Download             string
	Raw                        string
	Links                      []Link // links found in its header, such as List-Unsubscribe
}
