// Package archivetest writes mail for tests and figures: threads of network operators in Japanese and English, the same every time.
// Its people, hosts and addresses are those for documentation.
package archivetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"mime/quotedprintable"
	"strings"
	"time"

	"golang.org/x/text/encoding/japanese"

	"kairan/archive"
)

// Corpus writes posts: a fifth begin threads, the others answer one of the last few hundred, so threads have from one to some hundred
// messages; half are in Japanese, of which some in ISO-2022-JP; a few are in base64 or quoted-printable, and a few have a file with them.
// Words are as frequent as in a language: the n-th word has about a share of 1/n.
type Corpus struct {
	Lists []string // list IDs, by thread; "list1" if empty
	Begin float64  // share of posts that begin a thread: 0.18; with 0 all are one thread

	r      *rand.Rand
	n      int
	ja, en []string
	recent []told // that may be answered
}

// told is a message that may be answered.
type told struct {
	n        int
	ja       bool
	list     string
	subject  string
	refs     []int
	sentence []string
}

// memory is how many messages may be answered.
const memory = 300

// Every is the time between two posts.
const Every = time.Hour

// Start is when the corpus begins.
var Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewCorpus returns a corpus that is the same for the same seed.
func NewCorpus(seed uint64, lists ...string) *Corpus {
	c := &Corpus{Lists: lists, Begin: 0.18, r: rand.New(rand.NewPCG(seed, 7))}
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
	from := people[int(math.Pow(float64(len(people)), c.r.Float64()))-1]
	e := archive.Entry{
		List: t.list, Post: fmt.Sprintf("p%d", c.n), Number: uint64(c.n), ID: id(c.n),
		Received: Start.Add(time.Duration(c.n) * Every),
	}
	body := c.text(&t, parent, from)
	e.Raw = c.mail(&t, from, body)
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

// text writes what an author says, with some of what is answered above it.
func (c *Corpus) text(t, parent *told, from string) string {
	var b strings.Builder
	if parent != nil {
		b.WriteString("On some day somebody wrote:\n")
		for _, s := range parent.sentence[c.r.IntN(len(parent.sentence)):] {
			b.WriteString("> " + s + "\n")
		}
		b.WriteByte('\n')
	}
	for range 3 + c.r.IntN(22) {
		s := c.sentence(t.ja)
		t.sentence = append(t.sentence, s)
		b.WriteString(s + "\n")
		switch c.r.IntN(12) {
		case 0:
			b.WriteString(c.technical() + "\n")
		case 1, 2, 3:
			b.WriteByte('\n')
		}
	}
	b.WriteString("\n-- \n" + from + "\nhttps://www.example.net/~" + fmt.Sprint(len(from)) + "/\n")
	return b.String()
}

// mail is the message as a list receives it.
func (c *Corpus) mail(t *told, from, body string) []byte {
	name, addr, _ := strings.Cut(from, " <")
	at := Start.Add(time.Duration(t.n) * Every)
	when := at.Format(time.RFC1123Z)
	var h bytes.Buffer
	fmt.Fprintf(&h, "Received: from mx.example.jp (mx.example.jp [192.0.2.25]) by lists.example.jp with ESMTPS id %x; %s\n", t.n*7919, when)
	fmt.Fprintf(&h, "Received: from [198.51.100.%d] (client.example.jp [198.51.100.%d]) by mx.example.jp with ESMTPSA id %x; %s\n", t.n%250, t.n%250, t.n*104729, when)
	fmt.Fprintf(&h, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.jp; s=2016; h=from:to:subject:date;\n bh=%s;\n b=%s\n", c.noise(32, ""), c.noise(256, "\n "))
	fmt.Fprintf(&h, "From: %s <%s\nTo: ops@lists.example.jp\nSubject: %s\nDate: %s\nMessage-ID: <%s>\n", word(name), addr, word(t.subject), when, id(t.n))
	if len(t.refs) > 0 {
		h.WriteString("In-Reply-To: <" + id(t.refs[len(t.refs)-1]) + ">\nReferences:")
		for _, n := range t.refs {
			h.WriteString(" <" + id(n) + ">\n")
		}
	}
	h.WriteString("User-Agent: Example Mail 1.0\nMIME-Version: 1.0\n")
	part := c.part(t, body)
	if c.r.IntN(33) == 0 {
		part = fmt.Sprintf("Content-Type: multipart/mixed; boundary=\"=_%d\"\n\n--=_%d\n%s\n--=_%d\nContent-Type: application/pdf; name=\"%s.pdf\"\nContent-Disposition: attachment; filename=\"%s.pdf\"\nContent-Transfer-Encoding: base64\n\n%s\n--=_%d--\n",
			t.n, t.n, part, t.n, c.en[t.n%500], c.en[t.n%500], c.noise(10_000+c.r.IntN(20_000), "\n"), t.n)
	}
	h.WriteString(part)
	return bytes.ReplaceAll(h.Bytes(), []byte("\n"), []byte("\r\n"))
}

// part is the text with the header fields that say how it is written.
func (c *Corpus) part(t *told, body string) string {
	const fields = "Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: %s\n\n"
	switch how := c.r.IntN(10); {
	case t.ja && how < 3:
		if s, err := japanese.ISO2022JP.NewEncoder().String(body); err == nil {
			return fmt.Sprintf(fields, "iso-2022-jp", "7bit") + s
		}
	case how == 3:
		return fmt.Sprintf(fields, "utf-8", "base64") + lines(base64.StdEncoding.EncodeToString([]byte(body)), "\n") + "\n"
	case how == 4:
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		w.Write([]byte(body)) // a strings.Builder does not fail
		w.Close()
		return fmt.Sprintf(fields, "utf-8", "quoted-printable") + strings.ReplaceAll(b.String(), "\r\n", "\n")
	}
	return fmt.Sprintf(fields, "utf-8", "8bit") + body
}

// word is an encoded word (RFC 2047) where one is needed; long ones are folded.
func word(s string) string {
	ascii := true
	for _, r := range s {
		ascii = ascii && r < 0x80
	}
	if ascii {
		return s
	}
	var out []string
	for r := []rune(s); len(r) > 0; {
		n := min(len(r), 13)
		out = append(out, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(string(r[:n])))+"?=")
		r = r[n:]
	}
	return strings.Join(out, "\n ")
}

// noise is base64 of n bytes that mean nothing, its lines ended by end.
func (c *Corpus) noise(n int, end string) string {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		v := c.r.Uint64()
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56))
	}
	return lines(base64.StdEncoding.EncodeToString(b[:n]), end)
}

// lines cuts s into lines of 72 characters.
func lines(s, end string) string {
	var b strings.Builder
	for len(s) > 72 {
		b.WriteString(s[:72] + end)
		s = s[72:]
	}
	return b.String() + s
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

// technical is a line that a router could have written.
func (c *Corpus) technical() string {
	return fmt.Sprintf("BGP neighbor 192.0.2.%d AS%d 2001:db8:%x::%x/48 r%d.pop%d.example.net up %d", c.r.IntN(256), 64496+c.r.IntN(16), c.r.IntN(9999), c.r.IntN(99), c.r.IntN(50), c.r.IntN(20), c.r.IntN(100000))
}
