package message

import (
	"regexp"
	"slices"
	"strings"
)

// Uuencoded is a file that was written into a text before there was MIME (uuencode, IEEE Std 1003.1).
type Uuencoded struct {
	From, To int    // its lines in the text, in bytes
	Name     string // safe, base name only; "" without one
	Data     []byte
}

// maxUuencoded is how many files are looked for in a text.
const maxUuencoded = 100

// uuBegin is the line that such a file begins with; its number are the file's rights.
var uuBegin = regexp.MustCompile(`(?m)^begin [0-7]{3,4} (\S.*?)[ \t\r]*$`)

// FindUuencoded returns the whole files in a text whose lines end in LF. One that is damaged, or has no end, is text like any other.
func FindUuencoded(text string) (files []Uuencoded) {
	if !strings.Contains(text, "begin ") { // the expression is slow
		return nil
	}
	for at := 0; len(files) < maxUuencoded; {
		m := uuBegin.FindStringSubmatchIndex(text[at:])
		if m == nil {
			break
		}
		from, name := at+m[0], text[at+m[2]:at+m[3]]
		var data []byte
		var ok bool
		if data, at, ok = readUuencoded(text, min(len(text), at+m[1]+1)); ok { // each line is read once, whatever it is
			files = append(files, Uuencoded{From: from, To: at, Name: safeName(name), Data: data})
		}
	}
	return files
}

// readUuencoded reads the lines after the first, up to "end"; next is where it stopped, which is never before from.
func readUuencoded(text string, from int) (data []byte, next int, ok bool) {
	last := false // the line without data has come
	for next = from; next < len(text); {
		line, _, found := strings.Cut(text[next:], "\n")
		end := next + len(line)
		if found {
			end++
		}
		line = strings.TrimRight(line, "\r")
		if last {
			if strings.TrimRight(line, " \t") != "end" {
				return nil, next, false
			}
			return data, end, len(data) > 0
		}
		n, decoded := uuLine(line)
		if n < 0 {
			return nil, next, false
		}
		last, data, next = n == 0, append(data, decoded...), end
	}
	return nil, next, false
}

// uuLine decodes a line of up to 63 bytes; n is -1 where it is none. Spaces at the end may be missing, and one character be added as a check sum.
func uuLine(line string) (n int, data []byte) {
	if line == "" {
		return 0, nil // " " was the usual line without data
	}
	for i := range len(line) {
		if line[i] < ' ' || line[i] > '`' {
			return -1, nil
		}
	}
	n = int(line[0]-' ') & 63
	digits := line[1:]
	whole := (n + 2) / 3 * 4
	if len(digits) > whole+1 && strings.TrimRight(digits[whole+1:], " ") != "" || n > 0 && strings.TrimRight(digits, " ") == "" && len(digits) < whole {
		return -1, nil
	}
	for len(digits) < whole {
		digits += " "
	}
	for i := 0; i < whole; i += 4 {
		var group uint32
		for j := range 4 {
			group = group<<6 | uint32(digits[i+j]-' ')&63
		}
		data = append(data, byte(group>>16), byte(group>>8), byte(group))
	}
	return n, data[:n]
}

// Uuencode writes a file as FindUuencoded reads it.
func Uuencode(name string, data []byte) string {
	b := []byte("begin 644 " + name + "\n")
	for line := range slices.Chunk(data, 45) {
		b = append(b, uuDigit(byte(len(line))))
		for group := range slices.Chunk(line, 3) {
			var g [3]byte
			copy(g[:], group)
			b = append(b, uuDigit(g[0]>>2), uuDigit(g[0]<<4|g[1]>>4), uuDigit(g[1]<<2|g[2]>>6), uuDigit(g[2]))
		}
		b = append(b, '\n')
	}
	return string(b) + "`\nend\n"
}

// uuDigit writes the lower six bits.
func uuDigit(v byte) byte {
	if v &= 63; v != 0 {
		return v + ' '
	}
	return '`' // a space at the end of a line might be lost
}
