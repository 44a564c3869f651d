package command

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kairan/smtpd/message"
)

// Bounds of what is read.
const (
	maxCommands = 10
	maxLines    = 100
	maxLine     = 500 // bytes
	// A line that is longer is prose, and not a mistyped command.
	maxUnknownWords = 4
	maxUnknownRunes = 40
)

// Command is a line that was understood.
type Command struct {
	Name string   // as in the table
	Args []string // the words behind it
	Line string   // the line, in half-width letters
}

// Script is what a mail asks for.
type Script struct {
	Commands []Command
	Unknown  string // a line that looks like a command and is none; reading ended there
	More     bool   // there were more than ten
}

// Parse finds the commands in a Subject and a text. It ends at a signature, at "end", after ten commands and at the first
// line that is none. Quoted lines are passed over. A Subject that is no command counts only where the text has nothing to say.
func Parse(subject, text string) Script {
	var s Script
	base, _ := message.BaseSubject(fold(subject))
	if c, ok := parseLine(fold(base)); ok && c.Name != "end" {
		s.Commands = append(s.Commands, c)
	}
	lines, silent := 0, true
	for line := range strings.Lines(text) {
		if lines++; lines > maxLines {
			break
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "-- " || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "___") {
			break
		}
		line = fold(line)
		if line == "" || strings.HasPrefix(line, ">") {
			continue
		}
		silent = false
		c, ok := parseLine(line)
		if !ok || c.Name == "end" {
			s.Unknown = unknown(line, ok)
			break
		}
		if slices.ContainsFunc(s.Commands, func(old Command) bool { return old.Name == c.Name && slices.Equal(old.Args, c.Args) }) {
			continue // people and programs say it in the Subject and in the text, and not always in the same words
		}
		if len(s.Commands) == maxCommands {
			s.More = true
			break
		}
		s.Commands = append(s.Commands, c)
	}
	if len(s.Commands) == 0 && silent {
		s.Unknown = unknown(fold(base), false)
	}
	return s
}

// unknown returns the line if it may be a command with a mistake in it.
func unknown(line string, known bool) string {
	if known || line == "" || line == "--" || len(strings.Fields(line)) > maxUnknownWords || utf8.RuneCountInString(line) > maxUnknownRunes {
		return ""
	}
	return line
}

// fold makes full-width letters and spaces half-width ones (Unicode NFKC) and leaves no control characters.
func fold(line string) string {
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	line = norm.NFKC.String(strings.ToValidUTF8(line, ""))
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	return strings.Join(strings.Fields(line), " ")
}

// parseLine looks a folded line up in the table. Of two commands with the same word the one whose arguments fit is meant.
func parseLine(line string) (Command, bool) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return Command{}, false
	}
	word := plain(words[0])
	for _, e := range table() {
		if (e.name == word || slices.Contains(e.aliases, word)) && e.args(words[1:]) {
			return Command{Name: e.name, Args: words[1:], Line: line}, true
		}
	}
	return Command{}, false
}

// politeness is what may follow a Japanese word without changing its meaning.
var politeness = regexp.MustCompile(`(?:手続き|申請|申込|申し込み)?(?:を|の)?(?:希望)?(?:します|いたします|致します|です|したい(?:です)?|お願い(?:します|いたします|致します)?|願います|してください|して下さい|ください)?$`)

// plain is a word without its punctuation and, if it is Japanese, without its politeness.
func plain(word string) string {
	word = strings.TrimRight(strings.ToLower(word), ".,:;!?。、")
	if len(word) == 0 || word[0] < utf8.RuneSelf {
		return word
	}
	if short := politeness.ReplaceAllString(word, ""); short != "" {
		return short
	}
	return word
}

// confirmation finds "confirm TOKEN" anywhere in a Subject.
var confirmation = regexp.MustCompile(`(?i)\bconfirm ([0-9a-f]{32})\b`)

// Token returns the token that a Subject confirms, or "".
func Token(subject string) string {
	if m := confirmation.FindStringSubmatch(fold(subject)); m != nil {
		return strings.ToLower(m[1])
	}
	return ""
}
