package cook

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"mime"
	"slices"
	"strconv"
	"strings"

	"kairan/smtpd/message"
)

// text puts the list's words above and below what the author wrote. Plain text is edited in its place and charset,
// a multipart/mixed gets a part more, and anything else goes as it is into a new multipart/mixed beside them.
func text(d *draft) string {
	above, below := d.fill(d.List.Settings.MsgHeader), d.fill(d.List.Settings.MsgFooter)
	if above+below == "" {
		return ""
	}
	what := "footer"
	switch {
	case below == "":
		what = "header"
	case above != "":
		what = "header and footer"
	}
	parts := d.message().Parts()
	root := parts[0]
	if root.ContentType == "text/plain" && root.Disposition != "attachment" && root.Filename == "" {
		if used, ok := d.editText(root, above, below); ok {
			return what + " added in " + used
		}
	}
	hint := textCharset(parts)
	if root.ContentType == "multipart/mixed" && root.IsMultipart() && d.addParts(root, TextPart(above, hint), TextPart(below, hint)) {
		return what + " added as a part"
	}
	d.wrap(TextPart(above, hint), TextPart(below, hint))
	return what + " added round the message"
}

// fill puts the list's data into a text and returns it with LF line ends, the last one too; "" for a blank one.
func (d *draft) fill(s string) string {
	s = strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), " \t\n")
	if s == "" {
		return ""
	}
	return strings.NewReplacer(
		"{list}", d.List.Title(), "{address}", d.List.Address.String(),
		"{url}", d.Site.ListURL(d.List), "{number}", strconv.FormatUint(d.Post.Number, 10),
	).Replace(s) + "\n"
}

// editText edits a plain text message. It reports false where the charset cannot hold the list's words.
func (d *draft) editText(root message.Part, above, below string) (used string, ok bool) {
	if strings.EqualFold(root.Params["format"], "flowed") {
		above, below = flow(above), flow(below)
	}
	body := root.Decode()
	_, used = root.Text()
	top, bottom, used, ok := encodeBoth(body, used, above, below)
	if !ok {
		return "", false
	}
	if !isASCII(slices.Concat(top, bottom)) && !strings.EqualFold(root.Params["charset"], used) {
		d.setCharset(root, used)
	}
	body = slices.Concat(top, closed(body), bottom)
	coding, _, _ := strings.Cut(root.Header.Get("Content-Transfer-Encoding"), ";")
	switch coding = strings.ToLower(strings.TrimSpace(coding)); {
	case coding == "base64":
		d.body = message.EncodeBase64(body)
	case coding == "quoted-printable":
		d.body = message.EncodeQuotedPrintable(body)
	case coding != "8bit" && coding != "binary" && sevenBit(root.Raw) && !sevenBit(body):
		d.encodeRoot(body)
	default:
		d.body = body
	}
	return used, true
}

// encodeBoth encodes the list's words for a body in the charset used; plain ASCII text becomes UTF-8 if they need more.
func encodeBoth(body []byte, used, above, below string) (top, bottom []byte, charset string, ok bool) {
	wide := strings.HasPrefix(strings.ToUpper(used), "UTF-16") || strings.HasPrefix(strings.ToUpper(used), "UTF-32")
	for _, charset := range []string{used, "UTF-8"} {
		if charset != used && !isASCII(body) || wide {
			break
		}
		top, ok := encodeLines(charset, above)
		bottom, ok2 := encodeLines(charset, below)
		if ok && ok2 {
			return top, bottom, charset, true
		}
	}
	return nil, nil, "", false
}

// encodeLines encodes text line by line, because ISO-2022-JP returns to ASCII before each line end (RFC 1468), with CRLF.
func encodeLines(charset, text string) (b []byte, ok bool) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		enc := []byte(line)
		if !isASCII(line) {
			if enc, ok = message.EncodeCharset(charset, line); !ok {
				return nil, false
			}
		}
		b = append(append(b, enc...), '\r', '\n')
	}
	return b, true
}

// closed returns body with a line end at its end, and in ASCII if it was left in JIS.
func closed(body []byte) []byte {
	if i := bytes.LastIndexByte(body, 0x1b); i >= 0 && i+1 < len(body) && body[i+1] == '$' {
		body = append(slices.Clip(body), "\x1b(B"...)
	}
	if len(body) > 0 && body[len(body)-1] != '\n' {
		body = append(slices.Clip(body), "\r\n"...)
	}
	return body
}

// flow writes text for format=flowed: no line flows into the next, and lines that would mean something are stuffed (RFC 3676, section 4.4).
func flow(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line != "-- " {
			line = strings.TrimRight(line, " ")
		}
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, ">") || strings.HasPrefix(line, "From ") {
			b.WriteByte(' ')
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// setCharset labels the message's text.
func (d *draft) setCharset(root message.Part, charset string) {
	params := map[string]string{"charset": charset}
	for name, value := range root.Params {
		if name != "charset" {
			params[name] = value
		}
	}
	value := mime.FormatMediaType("text/plain", params)
	if value == "" {
		value = "text/plain; charset=" + charset
	}
	d.header = d.header.Set(message.NewField("Content-Type", value))
	d.mime()
}

// mime adds MIME-Version where it is missing.
func (d *draft) mime() {
	if d.header.Get("MIME-Version") == "" {
		d.header = append(slices.Clip(d.header), message.NewField("MIME-Version", "1.0"))
	}
}

// encodeRoot makes body, the decoded bytes of a message of one part, the message's in 7 bits.
func (d *draft) encodeRoot(body []byte) {
	coding, encoded := encode(body)
	d.body = encoded
	d.header = d.header.Set(message.NewField("Content-Transfer-Encoding", coding))
	d.mime()
}

// TextPart returns a MIME part, its header too, with a text whose lines end in LF; nil for none. Where the charset does not do, or 7 bits do
// not, it is UTF-8 in base64.
func TextPart(text, charset string) []byte {
	if text == "" {
		return nil
	}
	b, ok := encodeLines(charset, text)
	switch {
	case isASCII(text):
		charset = "us-ascii"
	case !ok || !sevenBit(b):
		charset = "utf-8"
		b, _ = encodeLines("UTF-8", text)
	}
	h := "Content-Type: text/plain; charset=" + strings.ToLower(charset) + "\r\nContent-Disposition: inline\r\n"
	if !sevenBit(b) || longest(b) > maxLine {
		return append([]byte(h+"Content-Transfer-Encoding: base64\r\n\r\n"), message.EncodeBase64(b)...)
	}
	return append([]byte(h+"Content-Transfer-Encoding: 7bit\r\n\r\n"), b...)
}

// textCharset returns the charset of the first text people read.
func textCharset(parts []message.Part) string {
	for _, p := range parts {
		if p.ContentType == "text/plain" && !p.IsMultipart() && p.Disposition != "attachment" {
			_, used := p.Text()
			return used
		}
	}
	return "UTF-8"
}

// addParts puts parts before the first and after the last one of a multipart/mixed. It reports false if it finds no end.
func (d *draft) addParts(root message.Part, first, last []byte) bool {
	delimiter := "--" + strings.TrimRight(root.Params["boundary"], " \t")
	open, end := -1, -1
	pos := 0
	for line := range bytes.Lines(d.body) {
		switch string(bytes.TrimRight(line, " \t\r\n")) {
		case delimiter:
			if open < 0 {
				open = pos
			}
		case delimiter + "--":
			end = pos
		}
		if end >= 0 {
			break
		}
		pos += len(line)
	}
	if open < 0 || end < open {
		return false
	}
	var b []byte
	b = append(b, d.body[:open]...)
	if first != nil {
		b = slices.Concat(b, []byte(delimiter+"\r\n"), first)
	}
	b = append(b, d.body[open:end]...)
	if last != nil {
		b = slices.Concat(b, []byte(delimiter+"\r\n"), last)
	}
	d.body = append(b, d.body[end:]...)
	return true
}

// wrap makes the message a part of a new multipart/mixed with other parts round it. Its own bytes stay.
func (d *draft) wrap(first, last []byte) {
	isContent := func(f message.Field) bool { return strings.HasPrefix(strings.ToLower(f.Name), "content-") }
	inner := d.header.Without(func(f message.Field) bool { return !isContent(f) })
	boundary := d.boundary()
	delimiter := []byte("--" + boundary + "\r\n")
	var b []byte
	if first != nil {
		b = slices.Concat(delimiter, first)
	}
	b = slices.Concat(b, delimiter, inner.Bytes(), d.body, []byte("\r\n"))
	if last != nil {
		b = slices.Concat(b, delimiter, last)
	}
	d.body = append(b, "--"+boundary+"--\r\n"...)
	d.header = append(d.header.Without(isContent), message.NewField("Content-Type", `multipart/mixed; boundary="`+boundary+`"`))
	d.mime()
}

// boundary returns one that does not occur in the body, the same for the same post.
func (d *draft) boundary() string {
	sum := sha256.Sum256([]byte(d.Post.ID))
	for {
		b := "=_kairan_" + hex.EncodeToString(sum[:12])
		if !bytes.Contains(d.body, []byte(b)) {
			return b
		}
		sum = sha256.Sum256(sum[:])
	}
}

// encode returns the shorter of the two encodings that mail has.
func encode(body []byte) (coding string, encoded []byte) {
	if qp := message.EncodeQuotedPrintable(body); len(qp) <= base64.StdEncoding.EncodedLen(len(body)) {
		return "quoted-printable", qp
	}
	return "base64", message.EncodeBase64(body)
}

func sevenBit(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x80 })
}
