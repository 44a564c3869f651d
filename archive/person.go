package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kairan/smtpd/address"
	"kairan/storage"
)

// Person is somebody who is named nowhere in the archives. Readers find the label in place of the names, and an
// address made of it in place of the address.
type Person struct {
	Address string   `json:"address"`
	Names   []string `json:"names,omitempty"`
	// Beside are names that stood beside the address in From. They may be others' too, so they are replaced only in mails from the address, and
	// right before it. The archive finds them.
	Beside []string `json:"beside,omitempty"`
	Label  string   `json:"label,omitempty"` // "redacted-1"; the archive gives it

	pattern *regexp.Regexp
}

// Limits of a Person.
const (
	maxNames    = 20
	minName     = 2 // characters: a shorter one is in every text
	maxNameText = 200
)

func (p Person) check() error {
	if _, err := address.Parse(p.Address); err != nil {
		return err
	}
	if len(p.Names) > maxNames {
		return fmt.Errorf("more than %d names", maxNames)
	}
	for _, name := range p.Names {
		if !isNameLong(name) {
			return fmt.Errorf("the name %q: it has between %d and %d characters", name, minName, maxNameText)
		}
	}
	return nil
}

// compile returns the person with the pattern that finds address and names, whatever their case and the white space in names. Its groups are
// a name that stands beside the address, and what is between them.
func (p Person) compile() Person {
	words := []string{regexp.QuoteMeta(p.Address)}
	if len(p.Beside) > 0 {
		words[0] = `(?:(` + strings.Join(namePatterns(p.Beside), "|") + `)(["'”’]?[\s\x{3000}]*[<＜(（\[]?))?` + words[0]
	}
	p.pattern = regexp.MustCompile(`(?i)` + strings.Join(append(words, namePatterns(p.Names)...), "|"))
	return p
}

func namePatterns(names []string) (patterns []string) {
	for _, name := range names {
		var parts []string
		for part := range strings.FieldsSeq(name) {
			parts = append(parts, regexp.QuoteMeta(part))
		}
		patterns = append(patterns, strings.Join(parts, `[\s\x{3000}]*`))
	}
	return patterns
}

// isNameLong reports whether a name is one that is not in every text, nor a text itself.
func isNameLong(name string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(name))
	return n >= minName && n <= maxNameText && utf8.ValidString(name)
}

// asAuthor returns people for a mail from addr: in it the names beside the address, and the one that it has here, are theirs alone.
func asAuthor(people []Person, name, addr string) []Person {
	i := slices.IndexFunc(people, func(p Person) bool { return strings.EqualFold(p.Address, addr) })
	if i < 0 {
		return people
	}
	people = slices.Clone(people)
	p := &people[i]
	p.Names = slices.Concat(p.Names, p.Beside)
	if isNameLong(name) {
		p.Names = append(p.Names, name)
	}
	slices.SortFunc(p.Names, func(a, b string) int { return len(b) - len(a) }) // a name before its parts
	*p = p.compile()
	return people
}

// address is what stands for the person's address. The domain is nobody's (RFC 6761, section 6.4).
func (p Person) address() string { return p.Label + "@redacted.invalid" }

// unname replaces the people in a text. changed is false if none of them is there.
func unname(people []Person, text string) (out string, changed bool) {
	for _, p := range people {
		var b strings.Builder
		done := 0
		for _, at := range p.pattern.FindAllStringSubmatchIndex(text, -1) {
			beside := ""
			if len(at) > 2 && at[2] >= 0 {
				if alone(text, at[2], at[3]) {
					beside = p.Label + text[at[4]:at[5]]
				} else {
					at[0] = at[5]
				}
			}
			if !alone(text, at[0], at[1]) {
				continue
			}
			label := p.Label
			if beside != "" || strings.EqualFold(text[at[0]:at[1]], p.Address) {
				label = beside + p.address()
			}
			b.WriteString(text[done:at[0]] + label)
			done = at[1]
		}
		if done > 0 {
			text, changed = b.String()+text[done:], true
		}
	}
	return text, changed
}

// alone reports whether what stands from i to j is no part of a longer word or address. Between other
// letters than Latin ones there are no spaces, so they stand alone everywhere.
func alone(text string, i, j int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	after, n := utf8.DecodeRuneInString(text[j:])
	first, _ := utf8.DecodeRuneInString(text[i:])
	last, _ := utf8.DecodeLastRuneInString(text[:j])
	if isWord(first) && (isWord(before) || strings.Contains(text[i:j], "@") && strings.ContainsRune("._+-", before)) {
		return false
	}
	if !isWord(last) {
		return true
	}
	next, _ := utf8.DecodeRuneInString(text[min(len(text), j+n):])
	return !isWord(after) && !(strings.Contains(text[i:j], "@") && (after == '-' || after == '.') && isWord(next))
}

func isWord(r rune) bool { return unicode.Is(unicode.Latin, r) || r >= '0' && r <= '9' }

// unnameMailbox replaces the people in a mailbox. Who is found by the address loses the name, whatever it is there.
func unnameMailbox(people []Person, name, addr string) (string, string) {
	for _, p := range people {
		if strings.EqualFold(addr, p.Address) {
			return p.Label, p.address()
		}
	}
	name, _ = unname(people, name)
	return name, addr
}

// Mentions counts the messages of all archives that name a person to readers, for a look before [Archive.RedactPerson].
func (a *Archive) Mentions(ctx context.Context, p Person, progress func(messages int)) (int, error) {
	if err := p.check(); err != nil {
		return 0, err
	}
	var err error
	if p.Beside, err = a.beside(ctx, p.Address); err != nil {
		return 0, err
	}
	return a.eachMention(ctx, p, progress, func([]*Message) error { return nil })
}

// RedactPerson takes a person's name and address out of all that readers see, in every archive, now and later. The order is carried
// out at once; then the messages that name the person are told to those who follow [Changes], which takes as long as reading all
// archives. It returns their number. If that is interrupted, giving the order again ends it.
func (a *Archive) RedactPerson(ctx context.Context, p Person, o Order, progress func(messages int)) (int, error) {
	if err := p.check(); err != nil {
		return 0, err
	}
	var err error
	if p.Beside, err = a.beside(ctx, p.Address); err != nil {
		return 0, err
	}
	if err := a.orderSite(ctx, Act{Do: Unperson, By: o.By, Reason: o.Reason, Person: &p}); err != nil {
		return 0, fmt.Errorf("redact %s: %w", p.Address, err)
	}
	return a.eachMention(ctx, p, progress, func(found []*Message) error {
		return a.DB.Update(ctx, func(tx *storage.Tx) error {
			for _, m := range found {
				if err := logChange(tx, Change{List: m.List, Seq: m.Seq, Gone: m.Hidden}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (a *Archive) orderSite(ctx context.Context, act Act) error {
	w, done, err := a.write(ctx, "")
	if err != nil {
		return err
	}
	defer done()
	if err := a.settleAll(ctx, w); err != nil {
		return err
	}
	return a.order(ctx, w, act, func(*storage.Tx) error { return nil })
}

// enactSite writes down what the nth act about the whole site means.
func enactSite(tx *storage.Tx, act Act, n uint64) error {
	if act.Do != Unperson || act.Person == nil {
		return fmt.Errorf("the site's ledger says %q", act.Do)
	}
	p := *act.Person
	p.Label = fmt.Sprintf("redacted-%d", n)
	for key, known := range people.Scan(tx, storage.Range[uint64]{}) {
		if strings.EqualFold(known.Address, p.Address) {
			n, p.Label = key, known.Label
			p.Names = slices.Compact(slices.Sorted(slices.Values(slices.Concat(known.Names, p.Names))))
			p.Beside = slices.Compact(slices.Sorted(slices.Values(slices.Concat(known.Beside, p.Beside))))
			break
		}
	}
	return people.Put(tx, n, p)
}

// beside returns the names that stand beside an address in the From of messages of all archives, the longest first, up to maxNames.
func (a *Archive) beside(ctx context.Context, addr string) ([]string, error) {
	lists, err := a.lists(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, list := range lists {
		for after := uint64(0); ; {
			some, err := a.after(ctx, list, after)
			if err != nil {
				return nil, err
			}
			if len(some) == 0 {
				break
			}
			after = some[len(some)-1].Seq
			for _, m := range some {
				if strings.EqualFold(m.FromAddr, addr) && isNameLong(m.FromName) {
					found[m.FromName] = true
				}
			}
		}
	}
	names := slices.SortedFunc(maps.Keys(found), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return names[:min(len(names), maxNames)], nil
}

// mentionChunk is how many messages are looked at between two reports.
const mentionChunk = 200

// eachMention calls fn with the messages of all archives that name p, some at a time, and returns their number.
func (a *Archive) eachMention(ctx context.Context, p Person, progress func(int), fn func([]*Message) error) (found int, err error) {
	p.Label = "x"
	someone := []Person{p.compile()}
	names, err := a.lists(ctx)
	if err != nil {
		return 0, err
	}
	seen := 0
	for _, list := range names {
		for after := uint64(0); ; {
			some, err := a.after(ctx, list, after)
			if err != nil {
				return found, err
			}
			if len(some) == 0 {
				break
			}
			after = some[len(some)-1].Seq
			seen += len(some)
			some, err = a.naming(some, someone)
			if err == nil && len(some) > 0 {
				err = fn(some)
			}
			if err != nil {
				return found, err
			}
			found += len(some)
			if progress != nil {
				progress(seen)
			}
		}
	}
	return found, nil
}

// after returns the rows of the next messages of a list.
func (a *Archive) after(ctx context.Context, list string, seq uint64) (some []*Message, err error) {
	err = a.DB.View(ctx, func(tx *storage.Tx) error {
		some = nil
		for k, m := range storage.UnderAfter(tx, messages, text, storage.P(list, seq)) {
			m.List, m.Seq = list, k.B
			if some = append(some, &m); len(some) == mentionChunk {
				break
			}
		}
		return nil
	})
	return some, err
}

// naming returns those of the messages that name somebody.
func (a *Archive) naming(some []*Message, someone []Person) (found []*Message, err error) {
	for _, m := range some {
		raw, err := a.original(m)
		if errors.Is(err, errDamaged) || errors.Is(err, storage.ErrNotFound) {
			continue // for Check to tell
		}
		if err != nil {
			return nil, err
		}
		if _, changed := unnamed(someone, raw, 0); changed {
			found = append(found, m)
		}
	}
	return found, nil
}
