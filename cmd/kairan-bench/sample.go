package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kairan/archive"
	"kairan/archive/archivetest"
	"kairan/archive/ingest"
	"kairan/smtpd/message"
)

// newCorpus returns messages of which a share begins a thread; with 0 all are one thread.
func newCorpus(begin float64) *archivetest.Corpus {
	c := archivetest.NewCorpus(1)
	c.Begin = begin
	return c
}

// writeCorpus writes the next n messages as an mbox.
func writeCorpus(w io.Writer, c *archivetest.Corpus, n int) error {
	b := bufio.NewWriter(w)
	for range n {
		e := c.Next()
		fmt.Fprintf(b, "From sender@example.jp %s\n", e.Received.Format(time.ANSIC))
		for line := range strings.Lines(string(e.Raw)) {
			if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
				b.WriteByte('>')
			}
			b.WriteString(strings.TrimSuffix(line, "\r\n") + "\n")
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// runCorpus prints a corpus.
func runCorpus(args []string, out io.Writer) error {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n > 0 {
			return writeCorpus(out, newCorpus(archivetest.Begin), n)
		}
	}
	return errors.New("usage: kairan-bench corpus N")
}

// sample is what readers are going to ask for, drawn from mboxes.
type sample struct {
	r     *rand.Rand
	ids   []string // Message-IDs of all messages
	lines []string // of text, of messages drawn uniformly
	said  map[string]bool
}

// drawn is how many lines a sample has at most.
const drawn = 40_000

func newSample() *sample { return &sample{r: rand.New(rand.NewPCG(1, 2)), said: map[string]bool{}} }

// read draws from an mbox, too.
func (s *sample) read(ctx context.Context, path string) error {
	messages, _, err := ingest.Source{Path: path, Limit: archive.MaxMessage}.Open(ctx)
	if err != nil {
		return err
	}
	for m, err := range messages {
		if err != nil {
			return err
		}
		msg := message.Parse(m.Raw)
		s.ids = append(s.ids, message.MessageID(msg.Header().Get("Message-ID")))
		if i := s.r.IntN(len(s.ids)); i < drawn/4 {
			s.draw(msg, i)
		}
	}
	if len(s.lines) == 0 {
		return fmt.Errorf("%s: no text in it", path)
	}
	return nil
}

// draw keeps the subject and three lines of a message, in place of those of the i-th if there are enough.
func (s *sample) draw(msg *message.Message, i int) {
	text := strings.FieldsFunc(msg.Text(), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(text) == 0 {
		return
	}
	found := []string{msg.Header().Text("Subject")}
	for range 3 {
		found = append(found, text[s.r.IntN(len(text))])
	}
	if len(s.lines) < drawn {
		s.lines = append(s.lines, found...)
		return
	}
	copy(s.lines[4*i:], found)
}

// id returns the Message-ID of any message.
func (s *sample) id() string {
	for {
		if id := s.ids[s.r.IntN(len(s.ids))]; id != "" {
			return id
		}
	}
}

// mostMissed is after how many lines in which there is no query of a kind that was not drawn before no more of the kind is looked for.
const mostMissed = 2000

// queries returns n different queries, or as many as there are, each a word or words that stand in a message: a word, two of one line, a phrase of
// Latin letters, a Japanese word of two characters, two of them, a part of a Japanese sentence. Of those of these kinds that the archive has, there
// are as many of each.
func (s *sample) queries(n int) (all []string) {
	kinds := []int{0, 1, 2, 3, 4, 5}
	for turn, missed := 0, 0; len(all) < n && len(kinds) > 0; {
		turn %= len(kinds)
		q := s.query(kinds[turn])
		switch {
		case q != "" && !s.said[q]:
			s.said[q], all = true, append(all, q)
			turn, missed = turn+1, 0
		case missed == mostMissed:
			kinds, missed = slices.Delete(kinds, turn, turn+1), 0
		default:
			missed++
		}
	}
	return all
}

func (s *sample) query(kind int) string {
	line := s.lines[s.r.IntN(len(s.lines))]
	if kind < 3 {
		words := strings.FieldsFunc(line, func(r rune) bool { return r > 0x7f || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if len(words) < 3 {
			return ""
		}
		at := s.r.IntN(len(words) - 2)
		switch kind {
		case 0:
			return long(words[at])
		case 1:
			return both(long(words[at]), long(words[at+2]))
		}
		return `"` + strings.Join(words[at:at+2+s.r.IntN(2)], " ") + `"`
	}
	runs := strings.FieldsFunc(line, func(r rune) bool { return !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) })
	if len(runs) == 0 {
		return ""
	}
	run := []rune(runs[s.r.IntN(len(runs))])
	switch kind {
	case 3:
		return s.kanji(run)
	case 4:
		return both(s.kanji(run), s.kanji(run))
	}
	if len(run) < 8 {
		return ""
	}
	at := s.r.IntN(len(run) - 7)
	return `"` + string(run[at:at+4+s.r.IntN(4)]) + `"`
}

// kanji returns two characters of Chinese that stand together.
func (s *sample) kanji(run []rune) string {
	for range 10 {
		if len(run) < 2 {
			return ""
		}
		at := s.r.IntN(len(run) - 1)
		if unicode.Is(unicode.Han, run[at]) && unicode.Is(unicode.Han, run[at+1]) {
			return string(run[at : at+2])
		}
	}
	return ""
}

// long returns a word that somebody would look for.
func long(w string) string {
	if len(w) < 4 {
		return ""
	}
	return w
}

func both(a, b string) string {
	if a == "" || b == "" || a == b {
		return ""
	}
	return a + " " + b
}
