// Package archivetest writes mail for tests and figures: threads of network operators in Japanese and English, the same every time.
// Its people, hosts and addresses are those for documentation.
package archivetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"kairan/archive"
)

// Corpus writes posts as an archive of a real list has them. A fifth begin threads, the others answer one of the last 200, so threads have
// from one message to some hundred. Half are in Japanese, of which some in ISO-2022-JP. Answers quote what they answer: a stretch of it, piece by piece, or
// all of it below, with what it quotes. A quarter shows what operators paste: configurations, traces, logs, tables, patches. The header is
// that of a message that came through a spam filter, a mail server and a list: 4 KB. Some are in base64 or quoted-printable, have
// HTML beside the text, or a file with them. The mean is 8.4 KB, the median 6.6 KB.
// Words are as frequent as in a language: the n-th word has about a share of 1/n.
type Corpus struct {
	Lists []string // list IDs, by thread; "list1" if empty
	Begin float64  // share of posts that begin a thread; with 0 all are one thread

	r      *rand.Rand
	n      int
	ja, en []string
	recent []told // that may be answered
}

// told is a message that may be answered.
type told struct {
	n       int
	ja      bool
	list    string
	subject string
	from    string
	refs    []int
	lines   []string // of its text
}

// memory is how many messages may be answered.
const memory = 200

// Begin is the share of posts that begin a thread, if nothing else is asked for.
const Begin = 0.21

// Every is the time between two posts.
const Every = time.Hour

// Start is when the corpus begins.
var Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewCorpus returns a corpus that is the same for the same seed.
func NewCorpus(seed uint64, lists ...string) *Corpus {
	c := &Corpus{Lists: lists, Begin: Begin, r: rand.New(rand.NewPCG(seed, 7))}
	if len(lists) == 0 {
		c.Lists = []string{"list1"}
	}
	words := rand.New(rand.NewPCG(1, 7)) // the same language for all
	c.ja, c.en = vocabulary(words)
	return c
}

// zipf chooses a word as language does. In Japanese, what is most frequent are particles, so its words begin at a higher rank.
func (c *Corpus) zipf(words []string) string {
	first := 2
	if &words[0] == &c.ja[0] {
		first = 40
	}
	f := c.r.Float64()
	rank := math.Pow(float64(first), 1-f) * math.Pow(float64(first+len(words)), f)
	return words[min(int(rank)-first, len(words)-1)]
}

func (c *Corpus) of(words []string) string { return words[c.r.IntN(len(words))] }

// Next writes the next post.
func (c *Corpus) Next() archive.Entry {
	c.n++
	t := told{n: c.n, ja: c.r.IntN(2) == 0, list: c.Lists[c.n%len(c.Lists)]}
	var parent *told
	if len(c.recent) > 0 && c.r.Float64() >= c.Begin {
		parent = &c.recent[c.r.IntN(len(c.recent))]
		t.ja, t.list = parent.ja, parent.list
		t.refs = append(append(t.refs, parent.refs[max(0, len(parent.refs)-10):]...), parent.n)
		t.subject = "Re: " + strings.TrimPrefix(parent.subject, "Re: ")
	} else {
		t.subject = c.title(t.ja)
	}
	t.from = people[int(math.Pow(float64(len(people)), c.r.Float64()))-1]
	e := archive.Entry{
		List: t.list, Post: fmt.Sprintf("p%d", c.n), Number: uint64(c.n), ID: id(c.n),
		Received: Start.Add(time.Duration(c.n) * Every),
	}
	body := c.text(&t, parent)
	e.Raw = c.mail(&t, body)
	if c.recent = append(c.recent, t); len(c.recent) > memory {
		c.recent = c.recent[1:]
	}
	return e
}

func id(n int) string { return fmt.Sprintf("%x.%d@mail.example.jp", n*2654435761%(1<<32), n) }

func (c *Corpus) title(ja bool) string {
	if !ja {
		return fmt.Sprintf("%s %s %s for %s", c.of(c.en[:200]), c.zipf(c.en), c.zipf(c.en), c.zipf(c.en))
	}
	return c.zipf(c.ja) + "の" + c.of(c.ja[:300]) + "と" + c.zipf(c.ja) + "について"
}

// Limits of what is quoted and pasted, in lines.
const (
	mostQuoted = 120
	mostPasted = 400
)

// text writes what an author says, and what is answered.
func (c *Corpus) text(t, parent *told) string {
	own := c.said(t.ja)
	name, _, _ := strings.Cut(t.from, " <")
	sign := []string{"", "-- ", name, "https://www.example.net/~" + fmt.Sprint(len(t.from)) + "/"}
	if parent == nil {
		t.lines = own
		return strings.Join(append(own, sign...), "\n") + "\n"
	}
	quoted := quote(parent.lines)
	all := []string{attribution(parent), ""}
	switch how := c.r.IntN(10); {
	case how < 5: // a stretch
		from := c.r.IntN(len(quoted))
		all = append(all, quoted[from:min(len(quoted), from+3+c.r.IntN(20))]...)
		all = append(append(all, ""), own...)
	case how < 8: // piece by piece
		for len(own) > 0 && len(quoted) > 0 {
			q, o := min(len(quoted), 2+c.r.IntN(10)), min(len(own), 1+c.r.IntN(5))
			all = append(append(all, quoted[:q]...), "")
			all = append(append(all, own[:o]...), "")
			quoted, own = quoted[q:], own[o:]
		}
		all = append(all, own...)
	default: // all of it, below
		all = append(append(append(own, sign...), "", attribution(parent)), quoted...)
		sign = nil
	}
	t.lines = all
	return strings.Join(append(all, sign...), "\n") + "\n"
}

// quote returns lines as an answer quotes them.
func quote(lines []string) []string {
	lines = lines[:min(len(lines), mostQuoted)]
	quoted := make([]string, 0, len(lines))
	for _, l := range lines {
		if l != "" && l[0] != '>' {
			l = " " + l
		}
		quoted = append(quoted, ">"+l)
	}
	return quoted
}

// attribution says who wrote what is quoted.
func attribution(t *told) string {
	name, _, _ := strings.Cut(t.from, " <")
	if t.ja {
		return Start.Add(time.Duration(t.n)*Every).Format("2006/01/02 15:04") + " に " + name + " さんは書きました:"
	}
	return "On " + Start.Add(time.Duration(t.n)*Every).Format("Mon, 2 Jan 2006 15:04") + ", " + name + " wrote:"
}

// said is what an author writes, in lines.
func (c *Corpus) said(ja bool) (lines []string) {
	for range 3 + c.r.IntN(20) {
		lines = append(lines, c.sentence(ja))
		switch c.r.IntN(12) {
		case 0:
			lines = append(lines, c.technical())
		case 1, 2, 3:
			lines = append(lines, "")
		}
	}
	if c.r.IntN(4) == 0 {
		lines = append(append(append(lines, ""), c.pasted()...), "")
	}
	return lines
}

func (c *Corpus) sentence(ja bool) string {
	var b strings.Builder
	if ja {
		for range 3 + c.r.IntN(4) {
			b.WriteString(c.zipf(c.ja) + c.of(particles))
		}
		return b.String() + c.of(endings)
	}
	for range 6 + c.r.IntN(10) {
		b.WriteString(c.zipf(c.en) + " ")
	}
	return strings.TrimSpace(b.String()) + "."
}
