package archive

import (
	"bytes"
	"iter"
	"slices"
	"strings"
)

// Where tokens of ours stand: in links that give a right to whoever has them, in addresses of bounces and confirmations, and after
// the words that leave or confirm by mail.
var (
	secretRooms  = []string{"u", "undo", "confirm", "never", "held", "login"}
	secretRoles  = []string{"-bounces", "-confirm", "-leave"}
	secretOrders = []string{"nsubscribe", "NSUBSCRIBE", "onfirm", "ONFIRM"} // without what may be a capital
)

// orderToken is how many hexadecimal digits a token after a word has.
const orderToken = 32

// secrets yields where the tokens in a text are. It looks at little more than what is rare, because every message passes here on its way to a reader.
func secrets(text string) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for at := range occurrences(text, "/-/") {
			room, _, ok := strings.Cut(text[at:min(len(text), at+10)], "/")
			from := at + len(room) + 1
			if !ok || !foldsToOne(room, secretRooms) {
				continue
			}
			if to := tokenEnd(text, from); to > from && !yield(from, to) {
				return
			}
		}
		for from := range occurrences(text, "+") {
			if !endsInRole(text[:from-1]) {
				continue
			}
			if to := tokenEnd(text, from); to > from && !yield(from, to) {
				return
			}
		}
		for _, word := range secretOrders {
			for at := range occurrences(text, word) {
				rest := strings.TrimLeft(strings.TrimPrefix(text[at:], "%20"), " \t")
				from := len(text) - len(rest)
				if to := from + orderToken; hexEnd(text, from) == to && !yield(from, to) {
					return
				}
			}
		}
	}
}

// endsInRole reports whether a text ends in one of secretRoles. Most texts with a "+" are patches, where hardly any letter stands before it.
func endsInRole(text string) bool {
	if text == "" || strings.IndexByte("smeSME", text[len(text)-1]) < 0 {
		return false
	}
	return slices.ContainsFunc(secretRoles, func(role string) bool {
		return len(text) >= len(role) && strings.EqualFold(text[len(text)-len(role):], role)
	})
}

// occurrences yields where a text goes on after each sign.
func occurrences(text, sign string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 0; ; {
			i := strings.Index(text[at:], sign)
			if i < 0 {
				return
			}
			if at += i + len(sign); !yield(at) {
				return
			}
		}
	}
}

func foldsToOne(s string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(s, word) })
}

// tokenEnd returns where the token ends that begins at from: letters, digits, "_", "=", "-", and dots between them.
func tokenEnd(text string, from int) int {
	to := from
	for i := from; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '=', c == '-':
			to = i + 1
		case c == '.' && to == i && i > from:
		default:
			return to
		}
	}
	return to
}

// hexEnd returns where the hexadecimal digits end that begin at from.
func hexEnd(text string, from int) int {
	for from < len(text) && (text[from] >= '0' && text[from] <= '9' || text[from] >= 'a' && text[from] <= 'f' || text[from] >= 'A' && text[from] <= 'F') {
		from++
	}
	return from
}

// hasSecret reports whether a token is in a text.
func hasSecret(text string) bool {
	for range secrets(text) {
		return true
	}
	return false
}

// mask replaces each token by "x"s. It returns data itself if there is none.
func mask(data []byte) []byte {
	out := data
	for from, to := range secrets(string(data)) {
		if &out[0] == &data[0] {
			out = bytes.Clone(data)
		}
		for i := from; i < to; i++ {
			out[i] = 'x'
		}
	}
	return out
}
