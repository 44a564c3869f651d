package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"kairan/smtpd/message"
)

func foldEqual(a, b string) bool { return strings.EqualFold(a, b) }

// crlf returns text with every line ended by CRLF.
func crlf(text string) []byte {
	var b []byte
	for line := range strings.Lines(text) {
		b = append(append(b, strings.TrimRight(line, "\r\n")...), "\r\n"...)
	}
	return b
}

// fingerprint tells messages apart by what their authors wrote: Message-ID, From, Date, Subject and body. The way a message took, white space
// at the ends of lines and empty lines at the end do not count, for those differ between two copies in two mailboxes.
func fingerprint(msg *message.Message) string {
	h := sha256.New()
	w := bufio.NewWriter(h) // whose errors are those of a hash: there are none
	for _, name := range []string{"Message-ID", "From", "Date", "Subject"} {
		for word := range strings.FieldsSeq(msg.Header().Get(name)) {
			w.WriteString(word)
			w.WriteByte(' ')
		}
		w.WriteByte('\n')
	}
	for line := range bytes.Lines(trimEnd(msg.Body())) {
		w.Write(trimEnd(line))
		w.WriteByte('\n')
	}
	w.Flush()
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// trimEnd returns b without the white space at its end.
func trimEnd(b []byte) []byte {
	for n := len(b); n > 0; n-- {
		switch b[n-1] {
		case ' ', '\t', '\r', '\n':
		default:
			return b[:n]
		}
	}
	return nil
}
