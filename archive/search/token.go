package search

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a term at its place in a text. Its bytes are only good until the next token.
type token struct {
	term     []byte
	pos      uint32 // in words; each character of Chinese or Japanese is one
	from, to int    // in the text, in bytes
}

// maxWord is how much of a long word is looked at, in bytes.
const maxWord = 64

// cutter cuts a text into tokens.
type cutter struct {
	text string
	emit func(token)
	pos  uint32

	word     []byte // letters and digits so far, folded
	from, to int    // of the word

	prev         rune // the last CJK character, which waits for the next; 0 for none
	prevF, prevT int
	apart        bool // the last token was CJK, and something stood after it
	katakana     int  // characters of the run of katakana before here
	term         []byte
	spanF, spanT int // all tokens have this place, unless it is empty: they come from another writing of it
}

// cut calls emit for each term of a text, in order. A word of an alphabet is one term; of Chinese and Japanese each pair of neighbours
// is one, and the last character of a run alone. Positions begin at first; the position behind the last is returned.
func cut(text string, first uint32, emit func(token)) uint32 {
	c := cutter{text: text, emit: emit, pos: first}
	c.run()
	return c.pos
}

func (c *cutter) run() {
	for i := 0; i < len(c.text); {
		if b := c.text[i]; b < utf8.RuneSelf && (i+1 == len(c.text) || c.text[i+1] < utf8.RuneSelf) {
			i = c.ascii(i, b)
			continue
		}
		r, n := utf8.DecodeRuneInString(c.text[i:])
		if plain(r) && !marked(c.text[i+n:]) {
			c.char(r, i, i+n)
			i += n
			continue
		}
		n = max(n, norm.NFKC.NextBoundaryInString(c.text[i:], true))
		for _, r := range norm.NFKC.String(c.text[i : i+n]) {
			c.char(r, i, i+n)
		}
		i += n
	}
	c.endWord()
	c.endRun()
}

// ascii takes the character at i and returns where the next one is.
func (c *cutter) ascii(i int, b byte) int {
	switch {
	case isWordByte(b):
		if len(c.word) == 0 {
			return c.asciiWord(i)
		}
		c.letter(rune(lower(b)), i, i+1)
	case b == '\n' && c.prev != 0:
		if next := c.wrapped(i); next > 0 {
			return next
		}
		c.between()
	default:
		c.between()
	}
	return i + 1
}

// asciiWord takes what is ASCII of the word that begins at i and returns where that ends.
func (c *cutter) asciiWord(i int) int {
	end := i
	for end < len(c.text) && isWordByte(c.text[end]) {
		end++
	}
	if end < len(c.text) && c.text[end] == ':' {
		if end := c.ipv6(i); end > i {
			return end
		}
	}
	if end-i > 1 && end < len(c.text) && c.text[end] >= utf8.RuneSelf {
		end-- // what comes may be a mark on the last letter
	}
	c.endRun()
	c.apart = false
	for _, b := range []byte(c.text[i:min(end, i+maxWord)]) {
		c.word = append(c.word, lower(b))
	}
	c.from, c.to = i, end
	return end
}

func isWordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z'
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}

// plain reports whether a character is cut as its compatibility form is: the usual ones of Japanese text, dashes and quotation marks, and the
// space that does not break.
func plain(r rune) bool {
	return r < utf8.RuneSelf || 0x3041 <= r && r <= 0x3096 || 0x30a1 <= r && r <= 0x30fe || 0x4e00 <= r && r <= 0x9fff || r == '、' || r == '。' || r == '々' ||
		0x2012 <= r && r <= 0x2015 || 0x2018 <= r && r <= 0x201f || r == '\u00a0'
}

// marked reports whether a text begins with a mark that belongs to the character before it.
func marked(s string) bool {
	if s == "" || s[0] < utf8.RuneSelf {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.Is(unicode.Mn, r) || r == 'ﾞ' || r == 'ﾟ'
}

// char takes a character in its compatibility form.
func (c *cutter) char(r rune, from, to int) {
	switch {
	case isCJK(r):
		c.endWord()
		c.cjk(r, from, to)
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		if 0xc0 <= r && r <= 0x24f { // é is e
			r, _ = utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		}
		c.letter(unicode.ToLower(r), from, to)
	case unicode.Is(unicode.Mn, r) && (len(c.word) > 0 || c.prev != 0):
		// A mark on a letter is left out.
	case r == '\n' && c.prev != 0 && c.wrapped(from) > 0:
		// The run goes on in the next line; the quote marks before it are no text.
	case r == '\u200b' || r == '\ufeff':
		// A space of no width is none.
	default:
		c.between()
	}
}

func isCJK(r rune) bool {
	if r < 0x1100 {
		return false
	}
	return 0x3041 <= r && r <= 0x30ff && r != '・' && r != '゠' || 0x4e00 <= r && r <= 0x9fff || r == '々' || r == '〆' ||
		unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo)
}

// variant returns the usual character for one that stands for it in many mails.
func variant(r rune) rune {
	switch r {
	case '髙':
		return '高'
	case '﨑':
		return '崎'
	case '𠮷':
		return '吉'
	}
	return r
}

// cjk takes a character of a run.
func (c *cutter) cjk(r rune, from, to int) {
	long := r == 'ー'
	if long && c.katakana >= 3 && !c.kanaAt(to) { // サーバー is サーバ
		c.prevT, c.katakana = to, 0
		return
	}
	if 0x30a1 <= r && r <= 0x30f6 || long {
		c.katakana++
	} else {
		c.katakana = 0
	}
	switch {
	case 0x30a1 <= r && r <= 0x30f6, r == 'ヽ', r == 'ヾ':
		r -= 'ア' - 'あ'
	default:
		r = variant(r)
	}
	if c.prev != 0 {
		c.term = utf8.AppendRune(utf8.AppendRune(c.term[:0], c.prev), r)
		c.put(c.term, c.prevF, to)
	} else if c.apart {
		c.pos++
	}
	c.prev, c.prevF, c.prevT, c.apart = r, from, to, false
}

// kanaAt reports whether a run of katakana goes on at i.
func (c *cutter) kanaAt(i int) bool {
	r, _ := utf8.DecodeRuneInString(c.text[i:])
	return 0x30a1 <= r && r <= 0x30fe && r != '・' || 0xff66 <= r && r <= 0xff9f
}

// wrapped returns where the text goes on if a line of Japanese, quoted or not, that ends at i is wrapped within a sentence, else 0.
func (c *cutter) wrapped(i int) int {
	for i++; i < len(c.text); {
		r, n := utf8.DecodeRuneInString(c.text[i:])
		switch {
		case r == ' ' || r == '>' || r == '|' || r == '＞' || r == '\t':
			i += n
		case isCJK(r):
			return i
		default:
			return 0
		}
	}
	return 0
}

// letter takes a letter or digit of a word.
func (c *cutter) letter(r rune, from, to int) {
	if len(c.word) == 0 {
		c.endRun()
		c.apart = false
		c.from = from
	}
	if len(c.word) < maxWord {
		c.word = utf8.AppendRune(c.word, r)
	}
	c.to = to
}

// between ends what there is.
func (c *cutter) between() {
	c.endWord()
	if c.prev != 0 {
		c.endRun()
		c.apart = true
	}
}

func (c *cutter) endRun() {
	if c.prev != 0 {
		c.term = utf8.AppendRune(c.term[:0], c.prev)
		c.put(c.term, c.prevF, c.prevT)
	}
	c.prev, c.katakana = 0, 0
}

// endWord puts a word. The number of an AS is a word of its own, so that it is found however it is written.
func (c *cutter) endWord() {
	w := c.word
	if len(w) == 0 {
		return
	}
	c.word = w[:0]
	if len(w) > 2 && w[0] == 'a' && w[1] == 's' && isNumber(w[2:]) {
		c.put(w[:2], c.from, c.to)
		c.put(w[2:], c.from, c.to)
		return
	}
	c.put(stem(w), c.from, c.to)
}

func isNumber(w []byte) bool {
	for _, b := range w {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

func (c *cutter) put(term []byte, from, to int) {
	if c.spanT > 0 {
		from, to = c.spanF, c.spanT
	}
	c.emit(token{term: term, pos: c.pos, from: from, to: to})
	c.pos++
}

// ipv6 takes an IPv6 address at i in its canonical form (RFC 5952) and returns its end, or i if there is none.
func (c *cutter) ipv6(i int) int {
	end, colons := i, 0
	for end < len(c.text) && end-i <= 45 && strings.IndexByte("0123456789abcdefABCDEF:", c.text[end]) >= 0 {
		if c.text[end] == ':' {
			colons++
		}
		end++
	}
	if colons < 2 || c.spanT > 0 {
		return i
	}
	addr, err := netip.ParseAddr(c.text[i:end])
	if err != nil {
		return i
	}
	c.endRun()
	c.apart = false
	inner := cutter{text: addr.String(), emit: c.emit, pos: c.pos, spanF: i, spanT: end}
	inner.run()
	c.pos = inner.pos
	return end
}

// stem takes light endings off an English word: plural, -ing, -ed and a last e, so that announce, announces, announced and announcing are one.
func stem(w []byte) []byte {
	for _, b := range w {
		if b < 'a' || b > 'z' {
			return w
		}
	}
	w = singular(w)
	rest := len(w)
	switch {
	case rest >= 7 && string(w[rest-3:]) == "ing":
		rest -= 3
	case rest >= 6 && string(w[rest-2:]) == "ed":
		rest -= 2
	}
	if rest < len(w) {
		if w = w[:rest]; w[rest-1] == w[rest-2] && strings.IndexByte("bdgmnprt", w[rest-1]) >= 0 {
			w = w[:rest-1]
		}
	}
	if len(w) > 4 && w[len(w)-1] == 'e' {
		w = w[:len(w)-1]
	}
	return w
}

// singular takes the ending of a plural off a word.
func singular(w []byte) []byte {
	n := len(w)
	if n < 4 || w[n-1] != 's' {
		return w
	}
	switch before := w[n-2]; {
	case before == 's' || before == 'u' || before == 'i':
		return w
	case n > 4 && before == 'e' && w[n-3] == 'i':
		return append(w[:n-3], 'y')
	}
	return w[:n-1]
}
