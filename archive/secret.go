package archive

import (
	"bytes"
	"iter"
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

// secrets yields where the tokens in data are. It looks at little more than what is rare, because every message passes here on its way to a reader.
func secrets(data []byte) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for at := range occurrences(data, "/-/") {
			room, _, ok := bytes.Cut(data[at:min(len(data), at+10)], []byte("/"))
			from := at + len(room) + 1
			if !ok || !foldsToOne(room, secretRooms) {
				continue
			}
			if to := tokenEnd(data, from); to > from && !yield(from, to) {
				return
			}
		}
		for from := range occurrences(data, "+") {
			before := data[max(0, from-9) : from-1]
			known := false
			for _, role := range secretRoles {
				known = known || len(before) >= len(role) && bytes.EqualFold(before[len(before)-len(role):], []byte(role))
			}
			if !known {
				continue
			}
			if to := tokenEnd(data, from); to > from && !yield(from, to) {
				return
			}
		}
		for _, word := range secretOrders {
			for at := range occurrences(data, word) {
				rest := bytes.TrimLeft(bytes.TrimPrefix(data[at:], []byte("%20")), " \t")
				from := len(data) - len(rest)
				if to := from + orderToken; hexEnd(data, from) == to && !yield(from, to) {
					return
				}
			}
		}
	}
}

// occurrences yields where data goes on after each sign.
func occurrences(data []byte, sign string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 0; ; {
			i := bytes.Index(data[at:], []byte(sign))
			if i < 0 {
				return
			}
			if at += i + len(sign); !yield(at) {
				return
			}
		}
	}
}

func foldsToOne(b []byte, words []string) bool {
	for _, w := range words {
		if bytes.EqualFold(b, []byte(w)) {
			return true
		}
	}
	return false
}

// tokenEnd returns where the token ends that begins at from: letters, digits, "_", "=", "-", and dots between them.
func tokenEnd(data []byte, from int) int {
	to := from
	for i := from; i < len(data); i++ {
		switch c := data[i]; {
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
func hexEnd(data []byte, from int) int {
	for from < len(data) && (data[from] >= '0' && data[from] <= '9' || data[from] >= 'a' && data[from] <= 'f' || data[from] >= 'A' && data[from] <= 'F') {
		from++
	}
	return from
}

// hasSecret reports whether a token is in data.
func hasSecret(data []byte) bool {
	for range secrets(data) {
		return true
	}
	return false
}

// mask replaces each token by "x"s. It returns data itself if there is none.
func mask(data []byte) []byte {
	out := data
	for from, to := range secrets(data) {
		if &out[0] == &data[0] {
			out = bytes.Clone(data)
		}
		for i := from; i < to; i++ {
			out[i] = 'x'
		}
	}
	return out
}
