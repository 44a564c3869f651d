package main

import (
	"cmp"
	"embed"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/smtpd/address"
)

// demoText is the community in words: its people, and what they wrote.
//
//go:embed demo/*.txt
var demoText embed.FS

// person is a member of the demo.
type person struct {
	address   address.Address
	name      string
	way       string // how the mail program writes: a key of encoders, "flowed", "alt" or "html"
	dns       bool   // in wg-dns too
	signature string
}

// readPeople reads demo/people.txt.
func readPeople() ([]person, error) {
	text, err := demoText.ReadFile("demo/people.txt")
	if err != nil {
		return nil, err
	}
	var people []person
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		column := strings.SplitN(line, "|", 5)
		if len(column) < 4 {
			return nil, fmt.Errorf("people.txt:%d: %q", n+1, line)
		}
		column = append(column, "")
		for i := range column {
			column[i] = strings.TrimSpace(column[i])
		}
		addr, err := address.Parse(column[0])
		if err != nil {
			return nil, fmt.Errorf("people.txt:%d: %w", n+1, err)
		}
		people = append(people, person{
			address: addr, name: column[1], way: column[2], dns: column[3] == "dns",
			signature: strings.ReplaceAll(column[4], " / ", "\n"),
		})
	}
	return people, nil
}

// story is one post of the seed.
type story struct {
	author  person
	at      time.Time
	subject string
	way     string
	body    string // without quote and signature
	text    string // whole
	parent  *story
	orphan  bool // an answer that does not say so: no References
	file    string
	content string // of the attached file
	id      string // Message-ID
	number  uint64
}

// chain returns the Message-IDs of what was answered, oldest first.
func (s *story) chain() (ids []string) {
	for p := s.parent; p != nil; p = p.parent {
		ids = append(ids, p.id)
	}
	slices.Reverse(ids)
	return ids
}

var (
	threadLine = regexp.MustCompile(`^= (\d+) (\d\d):(\d\d) (\w+)(?: (\w+))? \| (.+)$`)
	answerLine = regexp.MustCompile(`^- (\w+) \+(?:(\d+)d)?([0-9hm]*)(?: \^(\d+))?( noref)?(?: (\w+))?(?: \| (.+))?$`)
	quoteLine  = regexp.MustCompile(`^>>(\d*)$`)
)

// scribe reads the threads of a list.
type scribe struct {
	people map[string]person // by local part
	today  time.Time         // midnight in the site's zone
	thread []*story          // the one being read
	all    []*story
	lines  []string // of the post being read
}

// readThreads reads the posts of a file in demo, oldest first and numbered. Dates count back from today.
func readThreads(file string, people []person, today time.Time) ([]*story, error) {
	text, err := demoText.ReadFile("demo/" + file)
	if err != nil {
		return nil, err
	}
	sc := &scribe{people: map[string]person{}, today: today}
	for _, p := range people {
		sc.people[p.address.Local()] = p
	}
	for n, line := range strings.Split(string(text), "\n") {
		if len(sc.all) == 0 && strings.HasPrefix(line, "#") {
			continue
		}
		if err := sc.read(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
		}
	}
	if err := sc.finish(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	slices.SortStableFunc(sc.all, func(a, b *story) int { return a.at.Compare(b.at) })
	for i, s := range sc.all {
		s.number = uint64(i + 1)
	}
	return sc.all, nil
}

// read takes one line: a post begins, or goes on.
func (sc *scribe) read(line string) error {
	var s *story
	if m := threadLine.FindStringSubmatch(line); m != nil {
		days, hour, minute := atoi(m[1]), atoi(m[2]), atoi(m[3])
		at := sc.today.AddDate(0, 0, -days).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
		s = &story{author: sc.people[m[4]], at: at, way: m[5], subject: m[6]}
	} else if m := answerLine.FindStringSubmatch(line); m != nil && len(sc.thread) > 0 {
		later, err := time.ParseDuration(cmp.Or(m[3], "0s"))
		before := sc.thread[len(sc.thread)-1]
		parent := before
		if m[4] != "" {
			parent = sc.thread[min(atoi(m[4]), len(sc.thread))-1]
		}
		if err != nil {
			return err
		}
		at := before.at.AddDate(0, 0, atoi(m[2])).Add(later)
		s = &story{author: sc.people[m[1]], at: at, parent: parent, orphan: m[5] != "", way: m[6], subject: m[7]}
	} else {
		sc.lines = append(sc.lines, line)
		return nil
	}
	if s.author.name == "" {
		return fmt.Errorf("nobody has this name: %q", line)
	}
	if err := sc.finish(); err != nil {
		return err
	}
	if s.parent == nil {
		sc.thread = nil
	}
	s.way = cmp.Or(s.way, s.author.way)
	h := fnv.New32a()
	fmt.Fprint(h, line)
	s.id = fmt.Sprintf("%s.%08x@%s", s.at.Format("20060102150405"), h.Sum32(), s.author.address.Domain())
	sc.thread, sc.all = append(sc.thread, s), append(sc.all, s)
	return nil
}

// finish makes the text of the post whose lines were read.
func (sc *scribe) finish() error {
	if len(sc.all) == 0 {
		return nil
	}
	s := sc.all[len(sc.all)-1]
	body, attached, found := strings.Cut(strings.Join(sc.lines, "\n")+"\n", "@attach ")
	if found {
		var rest string
		s.file, attached, _ = strings.Cut(attached, "\n")
		if s.content, rest, found = strings.Cut(attached, "@end\n"); !found {
			return fmt.Errorf("the attachment %s has no @end", s.file)
		}
		body += rest
	}
	sc.lines = nil
	var quoted, own []string
	for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
		m := quoteLine.FindStringSubmatch(line)
		if m == nil {
			own = append(own, line)
			continue
		}
		if s.parent == nil {
			return fmt.Errorf("%q quotes nothing", s.subject)
		}
		paragraphs := strings.Split(s.parent.body, "\n\n")
		n := max(atoi(m[1]), 1)
		if n > len(paragraphs) {
			return fmt.Errorf("%s quotes paragraph %d of %d of %s", s.id, n, len(paragraphs), s.parent.id)
		}
		quoted = append(quoted, s.attribution(), "> "+strings.ReplaceAll(paragraphs[n-1], "\n", "\n> "), "")
	}
	s.body = strings.TrimSpace(strings.Join(own, "\n"))
	s.text = strings.Join(append(quoted, s.body), "\n") + "\n"
	if s.author.signature != "" {
		s.text += "\n-- \n" + s.author.signature + "\n"
	}
	return nil
}

// attribution is the line that mail programs put over a quote.
func (s *story) attribution() string {
	if s.author.name[0] < 0x80 {
		return s.parent.at.Format("On Mon, 2 Jan 2006, ") + s.parent.author.name + " wrote:"
	}
	return s.parent.at.Format("2006年1月2日 15:04 ") + s.parent.author.name + ":"
}

// atoi reads digits that a regular expression has found; "" is 0.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
