package moderation

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// The words that act. Each is known in English and Japanese, exactly: "承認しません" is not "承認".
var wordsOf = map[string]map[string]string{
	forModerator: {
		"accept": "accept", "approve": "accept", "承認": "accept", "許可": "accept",
		"reject": "reject", "却下": "reject", "拒否": "reject",
		"discard": "discard", "破棄": "discard", "削除": "discard",
		"trust": "trust", "信頼": "trust",
		"ban": "ban", "禁止": "ban",
	},
	forRequests: {
		"accept": "accept", "approve": "accept", "承認": "accept", "許可": "accept",
		"reject": "reject", "却下": "reject", "拒否": "reject",
		"discard": "discard", "破棄": "discard", "削除": "discard",
	},
	forWithdrawal: {"withdraw": "withdraw", "cancel": "withdraw", "取消": "withdraw", "取り消し": "withdraw", "取消し": "withdraw"},
	forRecall:     {"undo": "undo", "withdraw": "undo", "cancel": "undo", "取消": "undo", "取り消し": "undo", "取消し": "undo"},
	forAuthor:     {"yes": "yes", "はい": "yes", "no": "no", "いいえ": "no"},
}

// command is what somebody answers.
type command struct {
	word    string // as Act knows it, "" for none of ours
	numbers []int  // of posts in the notice, from 1; all of them when nil
	reason  string
}

// all are the words for every post of a notice.
var all = []string{"all", "全部", "すべて", "全て"}

// parseAnswer reads the first line of an answer that is not quoted, and for a reason what follows it up to a blank line.
// Of several posts an answer names those it means by number, or says "all".
func parseAnswer(text, purpose string, posts int) (c command, ok bool) {
	lines := unquoted(text)
	if len(lines) == 0 {
		return c, false
	}
	words := strings.FieldsFunc(norm.NFKC.String(lines[0]), func(r rune) bool { return strings.ContainsRune(" \t\u3000,:;、。．.!", r) })
	if len(words) == 0 {
		return c, false
	}
	c.word = wordsOf[purpose][strings.ToLower(words[0])]
	if c.word == "" {
		return c, false
	}
	rest := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(norm.NFKC.String(lines[0]), " \t,:;、。.!"), words[0]), " \t,:;、。.!")
	if purpose == forModerator || purpose == forRequests {
		numbers, after, named := parseNumbers(rest, posts)
		switch {
		case named && (posts > 1 || c.word != "reject"): // of a single post "2 files" is a reason
			c.numbers, rest = numbers, after
		case posts > 1:
			return c, false
		}
	}
	if c.word == "reject" {
		c.reason = strings.TrimSpace(strings.Join(append([]string{rest}, lines[1:]...), "\n"))
		return c, true
	}
	// Whoever writes more in that line may mean something else.
	return c, strings.Trim(rest, " \t,:;、。.!") == ""
}

// parseNumbers reads "1 3", "2,4" or "all" from the start of a line.
func parseNumbers(line string, posts int) (numbers []int, rest string, ok bool) {
	for {
		line = strings.TrimLeft(line, " \t,、.:;")
		end := strings.IndexAny(line, " \t,、.:;")
		if end < 0 {
			end = len(line)
		}
		if numbers == nil && slices.Contains(all, strings.ToLower(line[:end])) {
			return nil, line[end:], true
		}
		n, err := strconv.Atoi(line[:end])
		if err != nil {
			return numbers, line, len(numbers) > 0
		}
		if n < 1 || n > posts {
			return nil, "", false
		}
		if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
		line = line[end:]
	}
}

// maxAnswer is how many lines of an answer are looked at.
const maxAnswer = 200

// unquoted returns the first lines of an answer that are neither blank nor quoted, up to the next line that is. A line that introduces
// a quotation ("Ann wrote:") is not the answerer's word.
func unquoted(text string) (out []string) {
	lines := strings.SplitN(text, "\n", maxAnswer+1)
	lines = lines[:min(len(lines), maxAnswer)]
	for i, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || isQuote(line) || line == "--":
			if len(out) > 0 {
				return out
			}
			if line == "--" {
				return nil // a signature, and nothing before it
			}
		case introduces(line, lines[i+1:]):
			if len(out) > 0 {
				return out
			}
		default:
			out = append(out, line)
		}
	}
	return out
}

func isQuote(line string) bool { return strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|") }

// introduces reports whether a line ends in a colon and a quotation follows.
func introduces(line string, after []string) bool {
	if !strings.HasSuffix(line, ":") && !strings.HasSuffix(line, "：") {
		return false
	}
	for _, next := range after {
		if next = strings.TrimSpace(next); next != "" {
			return isQuote(next)
		}
	}
	return false
}
