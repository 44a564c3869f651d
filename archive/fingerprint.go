package archive

import (
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
func fingerprint(raw []byte) string {
	msg := message.Parse(raw)
	h := sha256.New()
	for _, name := range []string{"Message-ID", "From", "Date", "Subject"} {
		for word := range strings.FieldsSeq(msg.Header().Get(name)) {
			h.Write([]byte(word))
			h.Write([]byte{' '})
		}
		h.Write([]byte{'\n'})
	}
	for line := range bytes.Lines(bytes.TrimRight(msg.Body(), " \t\r\n")) {
		h.Write(bytes.TrimRight(line, " \t\r\n"))
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
