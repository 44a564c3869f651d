package message

import (
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/text/encoding/japanese"
)

// What JIS X 0213:2004 has beyond JIS X 0208, which x/text knows: a line for each plane and row, with its cells between tabs.
// The character of a cell may be two code points.
//
//go:embed jisx0213.txt
var jisx0213Text string

// jisx0213Rows are the cells by plane and row.
var jisx0213Rows = sync.OnceValue(func() (rows [3][95][]string) {
	for line := range strings.Lines(jisx0213Text) {
		place, cells, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		plane, row := place[0]-'0', 10*(place[2]-'0')+place[3]-'0'
		rows[plane][row] = strings.Split(cells, "\t")
	}
	return rows
})

// jisx0213 adds a character of a plane of JIS X 0213, its octets with the high bit set.
func (r *jisReader) jisx0213(plane int, c, d byte) {
	row, cell := int(c)-0xa0, int(d)-0xa0
	if row < 1 || row > 94 || cell < 1 || cell > 94 {
		r.lost()
		return
	}
	if cells := jisx0213Rows()[plane][row]; cell <= len(cells) && cells[cell-1] != "" {
		r.flush()
		r.out.WriteString(cells[cell-1])
		return
	}
	if plane == 2 {
		r.lost()
		return
	}
	r.put(japanese.EUCJP, c, d)
}

// decodeEUC2004 decodes EUC-JIS-2004, and EUC-JISX0213 before it.
func decodeEUC2004(b []byte) string {
	r := jisReader{enc: japanese.EUCJP}
	for len(b) > 0 {
		n := 1
		switch c := b[0]; {
		case c < 0x80:
			r.put(japanese.EUCJP, c)
		case c == 0x8e && len(b) > 1:
			r.put(japanese.EUCJP, c, b[1])
			n = 2
		case c == 0x8f && len(b) > 2:
			r.jisx0213(2, b[1], b[2])
			n = 3
		case c > 0xa0 && len(b) > 1:
			r.jisx0213(1, c, b[1])
			n = 2
		default:
			r.lost()
		}
		b = b[n:]
	}
	r.flush()
	return r.out.String()
}

// plane2Rows are the rows of plane 2 in the order of their lead octets in Shift_JIS-2004, two for each from 0xF0.
var plane2Rows = [...]byte{1, 8, 3, 4, 5, 12, 13, 14, 15, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94}

// decodeSJIS2004 decodes Shift_JIS-2004, and Shift_JISX0213 before it.
func decodeSJIS2004(b []byte) string {
	r := jisReader{enc: japanese.EUCJP}
	for len(b) > 0 {
		c := b[0]
		switch {
		case c < 0x80:
			r.put(japanese.EUCJP, c)
		case c >= 0xa1 && c <= 0xdf:
			r.put(japanese.EUCJP, 0x8e, c)
		case c == 0x80 || c == 0xa0 || c > 0xfc || len(b) < 2 || b[1] < 0x40 || b[1] == 0x7f || b[1] > 0xfc:
			r.lost()
		default:
			r.shifted(c, b[1])
			b = b[1:]
		}
		b = b[1:]
	}
	r.flush()
	return r.out.String()
}

// shifted adds a character of two octets of Shift_JIS-2004.
func (r *jisReader) shifted(c, d byte) {
	second, cell := 0, int(d)-0x3f // whether it is in the second row of the lead octet
	switch {
	case d >= 0x9f:
		second, cell = 1, int(d)-0x9e
	case d >= 0x80:
		cell--
	}
	switch {
	case c >= 0xf0:
		r.jisx0213(2, 0xa0+plane2Rows[2*int(c-0xf0)+second], byte(0xa0+cell))
	case c >= 0xe0:
		r.jisx0213(1, byte(0xa1+2*int(c-0xc1)+second), byte(0xa0+cell))
	default:
		r.jisx0213(1, byte(0xa1+2*int(c-0x81)+second), byte(0xa0+cell))
	}
}
