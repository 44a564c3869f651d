package templates

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The forms of pages for programs. docs/json.md describes their fields, which are for ever: new ones may come, none changes its
// meaning. Addresses are relative to that of the page, times are RFC 3339, and what is unknown is left out.

type (
	homeJSON struct {
		Lists []homeListJSON `json:"lists"`
	}
	homeListJSON struct {
		URL         string `json:"url"`
		Title       string `json:"title"`
		Address     string `json:"address"`
		Description string `json:"description,omitempty"`
		Public      bool   `json:"public"`
		Last        string `json:"last,omitempty"`
	}
	listJSON struct {
		Title       string       `json:"title"`
		Address     string       `json:"address"`
		Description string       `json:"description,omitempty"`
		Closed      bool         `json:"closed,omitempty"`
		Messages    int          `json:"messages"`
		Months      []monthRow   `json:"months"`
		Threads     []threadJSON `json:"threads"`
	}
	monthRow struct {
		URL      string `json:"url"`
		Name     string `json:"name"`
		Messages int    `json:"messages"`
	}
	threadJSON struct {
		URL      string `json:"url"`
		Subject  string `json:"subject"`
		Author   string `json:"author,omitempty"`
		Messages int    `json:"messages"`
		Last     string `json:"last,omitempty"`
	}
	monthJSON struct {
		Name     string            `json:"name"`
		Messages int               `json:"messages"`
		Previous string            `json:"previous,omitempty"`
		Next     string            `json:"next,omitempty"`
		Threads  []monthThreadJSON `json:"threads"`
		NextPage string            `json:"next_page,omitempty"`
	}
	monthThreadJSON struct {
		URL      string    `json:"url"`
		Subject  string    `json:"subject"`
		Earlier  bool      `json:"earlier,omitempty"`
		Messages []rowJSON `json:"messages"`
		More     int       `json:"more,omitempty"`
	}
	rowJSON struct {
		URL         string `json:"url"`
		Author      string `json:"author"`
		Date        string `json:"date"`
		Depth       int    `json:"depth"`
		Attachments bool   `json:"attachments,omitempty"`
	}
	postJSON struct {
		URL         string           `json:"url"`
		ID          string           `json:"message_id"`
		Subject     string           `json:"subject,omitempty"`
		Author      authorJSON       `json:"author"`
		Date        string           `json:"date"`
		Depth       int              `json:"depth,omitempty"`
		Text        string           `json:"text"`
		Blocks      []blockJSON      `json:"blocks"`
		Cut         bool             `json:"cut,omitempty"`
		Attachments []attachmentJSON `json:"attachments"`
		Source      string           `json:"source"`
	}
	authorJSON struct {
		Name    string `json:"name"`
		Address string `json:"address,omitempty"`
	}
	blockJSON struct {
		Kind string `json:"kind"`
		HTML string `json:"html"`
	}
	attachmentJSON struct {
		URL  string `json:"url"`
		Name string `json:"name"`
		Type string `json:"type"`
		Size int    `json:"size"`

		Message *enclosedJSON `json:"message,omitempty"`
	}
	enclosedJSON struct {
		Author      string           `json:"author,omitempty"`
		Subject     string           `json:"subject,omitempty"`
		Date        string           `json:"date,omitempty"`
		Text        string           `json:"text"`
		Blocks      []blockJSON      `json:"blocks"`
		Cut         bool             `json:"cut,omitempty"`
		Attachments []attachmentJSON `json:"attachments"`
	}
	messageJSON struct {
		postJSON
		Number         int    `json:"number,omitempty"`
		To             string `json:"to,omitempty"`
		Cc             string `json:"cc,omitempty"`
		InReplyTo      string `json:"in_reply_to,omitempty"`
		Thread         string `json:"thread"`
		ThreadMessages int    `json:"thread_messages"`
		Previous       string `json:"previous,omitempty"`
		Next           string `json:"next,omitempty"`
		ThreadPrevious string `json:"thread_previous,omitempty"`
		ThreadNext     string `json:"thread_next,omitempty"`
	}
	wholeThreadJSON struct {
		Subject  string     `json:"subject"`
		Messages int        `json:"messages"`
		People   int        `json:"people"`
		First    string     `json:"first"`
		Last     string     `json:"last"`
		Posts    []postJSON `json:"posts"`
		NextPage string     `json:"next_page,omitempty"`
	}
	searchJSON struct {
		Query      string    `json:"query"`
		Total      int       `json:"total"`
		Hits       []hitJSON `json:"hits"`
		Ignored    []string  `json:"ignored,omitempty"`
		Slow       bool      `json:"slow,omitempty"`
		Incomplete bool      `json:"incomplete,omitempty"`
		NextPage   string    `json:"next_page,omitempty"`
	}
	hitJSON struct {
		URL         string `json:"url"`
		Subject     string `json:"subject"`
		Author      string `json:"author"`
		Date        string `json:"date"`
		List        string `json:"list,omitempty"`
		Excerpt     string `json:"excerpt,omitempty"`
		Attachments bool   `json:"attachments,omitempty"`
	}
	noticeJSON struct {
		Error string `json:"error"`
	}
)

// JSON is the form of the page for programs.
func (v Home) JSON() any {
	out := homeJSON{Lists: []homeListJSON{}}
	for _, l := range v.Lists {
		out.Lists = append(out.Lists, homeListJSON{l.Href, l.Title, l.Address, l.Description, !l.Private, l.Last.Machine})
	}
	return out
}

// JSON is the form of the page for programs.
func (v List) JSON() any {
	out := listJSON{Title: v.Title, Address: v.Address, Description: v.Description, Closed: v.Closed, Messages: v.Front.Total,
		Months: []monthRow{}, Threads: []threadJSON{}}
	for _, y := range slices.Concat(v.Front.Years, v.Front.Older) {
		for _, m := range y.Months {
			if m.Href != "" {
				out.Months = append(out.Months, monthRow{m.Href, m.Name, m.Messages})
			}
		}
	}
	for _, t := range v.Front.Threads {
		out.Threads = append(out.Threads, threadJSON{t.Href, t.Subject, t.From, t.Count, t.Last.Machine})
	}
	return out
}

// JSON is the form of the page for programs.
func (v Month) JSON() any {
	out := monthJSON{Name: v.Name, Messages: v.Messages, Previous: v.Prev.Href, Next: v.Next.Href, NextPage: nextPage(v.Pages), Threads: []monthThreadJSON{}}
	for _, t := range v.Threads {
		thread := monthThreadJSON{URL: t.Href, Subject: t.Subject, Earlier: t.Earlier, More: t.More, Messages: []rowJSON{}}
		for _, r := range t.Rows {
			thread.Messages = append(thread.Messages, rowJSON{r.Href, r.From, r.Sent.Machine, r.Depth, r.HasAttachment})
		}
		out.Threads = append(out.Threads, thread)
	}
	return out
}

// JSON is the form of the page for programs.
func (v Message) JSON() any {
	number, _ := strconv.Atoi(v.Number) // without one it is 0
	return messageJSON{
		postJSON: v.Post.json(), Number: number, To: v.Recipients, Cc: v.Cc, InReplyTo: v.InReplyTo.Href,
		Thread: v.Thread, ThreadMessages: v.ThreadCount,
		Previous: v.Prev.Href, Next: v.Next.Href, ThreadPrevious: v.ThreadPrev.Href, ThreadNext: v.ThreadNext.Href,
	}
}

// JSON is the form of the page for programs.
func (v Thread) JSON() any {
	out := wholeThreadJSON{Subject: v.Subject, Messages: v.Count, People: v.People, First: v.First.Machine, Last: v.Last.Machine,
		NextPage: nextPage(v.Pages), Posts: []postJSON{}}
	for _, p := range v.Posts {
		out.Posts = append(out.Posts, p.json())
	}
	return out
}

// JSON is the form of the page for programs.
func (v Search) JSON() any {
	out := searchJSON{Query: v.Query, Total: v.Total, Ignored: v.Ignored, Slow: v.Slow, Incomplete: v.Incomplete,
		NextPage: nextPage(v.Pages), Hits: []hitJSON{}}
	for _, h := range v.Hits {
		out.Hits = append(out.Hits, hitJSON{h.Href, plain(h.Subject), h.From, h.Sent.Machine, h.List.Href, plain(h.Text), h.HasAttachment})
	}
	return out
}

// JSON is the form of the page for programs.
func (v Notice) JSON() any { return noticeJSON{v.Text} }

func (p Post) json() postJSON {
	out := postJSON{
		URL: p.Href, ID: p.ID, Subject: p.Subject, Author: authorJSON{p.From, p.FromAddress}, Date: p.Sent.Machine, Depth: p.Depth,
		Cut: p.Cut, Source: p.Raw, Attachments: attachmentsJSON(p.Attachments),
	}
	out.Text, out.Blocks = blocksJSON(p.Blocks)
	return out
}

func blocksJSON(blocks []Block) (text string, out []blockJSON) {
	texts, out := []string{}, []blockJSON{}
	for _, b := range blocks {
		out = append(out, blockJSON{b.Kind, string(b.HTML)})
		texts = append(texts, b.text())
	}
	return strings.Join(texts, "\n\n"), out
}

func attachmentsJSON(all []Attachment) []attachmentJSON {
	out := []attachmentJSON{}
	for _, a := range all {
		file := attachmentJSON{URL: a.Href, Name: a.Name, Type: a.Kind, Size: a.Bytes}
		if m := a.Message; m != nil {
			file.Message = &enclosedJSON{Author: m.From, Subject: m.Subject, Date: m.Sent.Machine, Cut: m.Cut, Attachments: attachmentsJSON(m.Attachments)}
			file.Message.Text, file.Message.Blocks = blocksJSON(m.Blocks)
		}
		out = append(out, file)
	}
	return out
}

// text is the text of a block. What is quoted gets its marks again.
func (b Block) text() string {
	if b.Kind != "quote" {
		return html.UnescapeString(tag.ReplaceAllLiteralString(string(b.HTML), ""))
	}
	var out strings.Builder
	level, start := 1, true // start of a line
	write := func(text string) {
		for line := range strings.Lines(html.UnescapeString(text)) {
			if start {
				out.WriteString(strings.Repeat(">", level))
				if line != "\n" {
					out.WriteByte(' ')
				}
			}
			out.WriteString(line)
			start = strings.HasSuffix(line, "\n")
		}
	}
	rest := string(b.HTML)
	for at := tag.FindStringIndex(rest); at != nil; at = tag.FindStringIndex(rest) {
		write(rest[:at[0]])
		switch rest[at[0]:at[1]] {
		case "<blockquote>":
			level++
		case "</blockquote>":
			level--
		}
		rest = rest[at[1]:]
	}
	write(rest)
	return out.String()
}

// tag is what stands in the HTML of a block beside escaped text.
var tag = regexp.MustCompile(`<[^>]*>`)

func plain(pieces []SearchPiece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text)
	}
	return b.String()
}

// nextPage returns where the next part of something long is, "" for the last.
func nextPage(pages []PageLink) string {
	for i, p := range pages[:max(0, len(pages)-1)] {
		if p.Current {
			return pages[i+1].Href
		}
	}
	return ""
}
