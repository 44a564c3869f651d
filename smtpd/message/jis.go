package message

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const (
	esc      = 0x1b
	shiftOut = 0x0e
	shiftIn  = 0x0f
)

// jisSet is a character set that ISO-2022-JP can switch to.
type jisSet int

const (
	setASCII  jisSet = iota
	setKana          // JIS X 0201, half width
	setKanji         // JIS X 0208
	setPlane1        // JIS X 0213
	setPlane2
	setExtra  // JIS X 0212
	setGB     // GB 2312
	setKorean // KS X 1001
)

// designation returns the set that an escape sequence switches to, and the
// length of the sequence; 0 if it is none.
func designation(b []byte) (set jisSet, n int) {
	for _, d := range []struct {
		seq string
		set jisSet
	}{
		{"\x1b(B", setASCII}, {"\x1b(J", setASCII}, {"\x1b(H", setASCII}, {"\x1b(I", setKana},
		{"\x1b$@", setKanji}, {"\x1b$B", setKanji}, {"\x1b$(@", setKanji}, {"\x1b$(B", setKanji},
		{"\x1b$(O", setPlane1}, {"\x1b$(Q", setPlane1}, {"\x1b$(P", setPlane2}, {"\x1b$(D", setExtra},
		{"\x1b$A", setGB}, {"\x1b$(A", setGB}, {"\x1b$(C", setKorean}, {"\x1b&@", -1},
	} {
		if bytes.HasPrefix(b, []byte(d.seq)) {
			return d.set, len(d.seq)
		}
	}
	return 0, 0
}

// jisReader decodes ISO-2022-JP and what vendors made of it (RFC 1468, RFC
// 1554, RFC 2237, CP50220 to CP50222, ISO-2022-JP-3). It rewrites each run as
// EUC, which has the same tables, and lets x/text decode that.
type jisReader struct {
	out  strings.Builder
	run  []byte // in the EUC form of the set
	enc  encoding.Encoding
	set  jisSet
	kana bool // between SO and SI
}

// decodeJIS decodes ISO-2022-JP. Escape sequences never reach the text.
func decodeJIS(b []byte) string {
	r := jisReader{enc: japanese.EUCJP}
	for len(b) > 0 {
		b = b[r.step(b):]
	}
	r.flush()
	return r.out.String()
}

// step reads an escape sequence or a character and returns its length.
func (r *jisReader) step(b []byte) int {
	c := b[0]
	switch {
	case c == esc:
		set, n := designation(b)
		if n == 0 {
			return 1 // an escape that means nothing is left out
		}
		if set >= 0 {
			r.set = set
		}
		return n
	case c == shiftOut || c == shiftIn:
		r.kana = c == shiftOut
		return 1
	case c == '\n': // RFC 1468: lines start and end in ASCII
		r.set, r.kana = setASCII, false
		r.put(japanese.EUCJP, c)
		return 1
	case c <= ' ' || c == 0x7f:
		r.put(japanese.EUCJP, c)
		return 1
	case c >= 0xa1 && c <= 0xdf:
		r.put(japanese.EUCJP, 0x8e, c)
		return 1
	case c >= 0x80:
		r.lost()
		return 1
	case r.kana || r.set == setKana:
		if c > 0x5f {
			r.lost()
		} else {
			r.put(japanese.EUCJP, 0x8e, c|0x80)
		}
		return 1
	case r.set == setASCII:
		r.put(japanese.EUCJP, c)
		return 1
	case len(b) < 2 || b[1] <= ' ' || b[1] >= 0x7f:
		r.lost()
		return 1
	}
	r.pair(c|0x80, b[1]|0x80)
	return 2
}

// pair adds a character of two octets.
func (r *jisReader) pair(c, d byte) {
	switch r.set {
	case setKanji:
		r.put(japanese.EUCJP, c, d)
	case setPlane1:
		r.jisx0213(1, c, d)
	case setPlane2:
		r.jisx0213(2, c, d)
	case setExtra:
		r.put(japanese.EUCJP, 0x8f, c, d)
	case setGB:
		r.put(simplifiedchinese.GBK, c, d)
	case setKorean:
		r.put(korean.EUCKR, c, d)
	default:
		r.lost()
	}
}

func (r *jisReader) put(enc encoding.Encoding, b ...byte) {
	if enc != r.enc {
		r.flush()
		r.enc = enc
	}
	r.run = append(r.run, b...)
}

// lost stands for what cannot be read.
func (r *jisReader) lost() {
	r.flush()
	r.out.WriteRune('\ufffd')
}

func (r *jisReader) flush() {
	if len(r.run) == 0 {
		return
	}
	text, err := r.enc.NewDecoder().Bytes(r.run)
	if err == nil { // these decoders replace what does not fit
		r.out.Write(text)
	}
	r.run = r.run[:0]
}

// bared matches a run of ISO-2022-JP that lost its escapes, as programs did that took control characters out of mail.
var bared = regexp.MustCompile(`\$[@B]((?:[!-~][!-~])+?)\([BJ]`)

// withEscapes gives ISO-2022-JP the escapes back that it lost. It takes hiragana to tell such text from a program in which "$B" and "(B"
// stand: of what stands between them a fifth must be.
func withEscapes(b []byte) []byte {
	if bytes.IndexByte(b, esc) >= 0 || !bytes.Contains(b, []byte("$B")) && !bytes.Contains(b, []byte("$@")) {
		return b
	}
	runes, hiragana := 0, 0
	for _, run := range bared.FindAllSubmatch(b, -1) {
		for i := 0; i < len(run[1]); i += 2 {
			runes++
			if run[1][i] == 0x24 && run[1][i+1] <= 0x73 {
				hiragana++
			}
		}
	}
	if 5*hiragana < runes || runes == 0 {
		return b
	}
	return bared.ReplaceAll(b, []byte("\x1b$$B$1\x1b(B"))
}

// decodeISO2022KR decodes ISO-2022-KR (RFC 1557): what stands between SO and SI is Korean, up to the end of the line.
func decodeISO2022KR(b []byte) string {
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil) // says so, once before all lines
	euc := make([]byte, 0, len(b))
	shifted := false
	for _, c := range b {
		switch {
		case c == shiftOut, c == shiftIn:
			shifted = c == shiftOut
			continue
		case c == '\n':
			shifted = false
		case shifted && c > ' ' && c < 0x7f:
			c |= 0x80
		}
		euc = append(euc, c)
	}
	text, err := korean.EUCKR.NewDecoder().Bytes(euc)
	if err != nil {
		return strings.ToValidUTF8(string(euc), "\ufffd") // unreachable: this decoder replaces
	}
	return string(text)
}
