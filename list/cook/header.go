package cook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// maxLine is the longest line without its CRLF (RFC 5322, section 2.1.1).
const maxLine = 998

// foreignFields removes what another list or a mass mailer said about itself: only the list that sends may say it (RFC 2369, section 4).
func foreignFields(d *draft) string {
	if d.drop(func(name string) bool {
		switch name {
		case "precedence", "archived-at", "x-ml-name", "x-ml-info", "x-mlserver", "x-mail-count", "x-sequence", "x-list", "x-auto-response-suppress",
			"mailing-list", "x-mailing-list":
			return true
		}
		return strings.HasPrefix(name, "list-") || strings.HasPrefix(name, "x-mailman-")
	}) {
		return "fields of other lists removed"
	}
	return ""
}

// oneOfEach drops the second of fields that may stand once (RFC 5322, section 3.6): some providers refuse such mail.
func oneOfEach(d *draft) string {
	seen := map[string]bool{}
	if d.drop(func(name string) bool {
		switch name {
		case "date", "reply-to", "sender", "to", "cc", "message-id", "in-reply-to", "references", "subject", "mime-version",
			"content-type", "content-transfer-encoding", "content-disposition":
			again := seen[name]
			seen[name] = true
			return again
		}
		return false
	}) {
		return "doubled fields removed"
	}
	return ""
}

// asciiHeader encodes fields with raw 8-bit or JIS text and folds those too long for a line, so that any next hop takes the header.
func asciiHeader(d *draft) string {
	var names []string
	header := make(message.Header, len(d.header))
	for i, f := range d.header {
		header[i] = f
		switch {
		case !isASCII(f.Raw):
			header[i] = asciiField(f)
			names = append(names, f.Name)
		case longest(f.Raw) > maxLine:
			header[i] = message.NewField(f.Name, f.Value())
			names = append(names, f.Name)
		}
		if longest(header[i].Raw) > maxLine { // a word without white space
			header[i] = message.NewField(f.Name, splitWords(header[i].Value()))
		}
	}
	d.header = header
	if len(names) == 0 {
		return ""
	}
	return "header fields encoded: " + strings.Join(names, ", ")
}

func asciiField(f message.Field) message.Field {
	switch strings.ToLower(f.Name) {
	case "from", "to", "cc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc", "resent-sender":
		value, _ := message.DecodeCharset("", []byte(f.Value()))
		boxes, _ := address.ParseList(value, message.DecodeHeader)
		if len(boxes) > 0 {
			return message.NewField(f.Name, mailboxes(boxes))
		}
	case "content-type", "content-disposition":
		value, _ := message.DecodeCharset("", []byte(f.Value()))
		if kind, params, err := mime.ParseMediaType(value); err == nil {
			if s := mime.FormatMediaType(kind, params); s != "" {
				return message.NewField(f.Name, s)
			}
		}
		return message.NewField(f.Name, questionMarks(f.Value()))
	case "message-id", "in-reply-to", "references", "date", "received", "mime-version", "content-transfer-encoding",
		"content-id", "dkim-signature", "authentication-results", "return-path":
		return message.NewField(f.Name, questionMarks(f.Value()))
	}
	return message.TextField(f.Name, message.DecodeHeader(f.Value()), "UTF-8")
}

// questionMarks puts "?" where a structured field may have ASCII only.
func questionMarks(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 0x80 || c == 0x1b {
			b[i] = '?'
		}
	}
	return string(b)
}

// splitWords puts a space into words that no line can hold.
func splitWords(s string) string {
	const most = 900
	words := strings.Fields(s)
	for i, w := range words {
		var cut []string
		for len(w) > most {
			cut, w = append(cut, w[:most]), w[most:]
		}
		words[i] = strings.Join(append(cut, w), " ")
	}
	return strings.Join(words, " ")
}

// isASCII also refuses escape characters: raw ISO-2022-JP has no place in a header.
func isASCII[T []byte | string](s T) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == 0x1b {
			return false
		}
	}
	return true
}

// longest returns the length of the longest line without its end.
func longest(b []byte) int {
	most, start := 0, 0
	for i, c := range b {
		if c == '\n' {
			most, start = max(most, i-start-1), i+1
		}
	}
	return max(most, len(b)-start)
}

// replyTo sends replies where the list wants them.
func replyTo(d *draft) string {
	switch d.List.Settings.ReplyGoesToList {
	case "list":
		d.header = d.header.Set(message.NewField("Reply-To", d.listMailbox(d.List.Title())))
		return "Reply-To set to the list"
	case "explicit":
		a, err := address.Parse(d.List.Settings.ReplyToAddress)
		if err != nil {
			return "" // unreachable: Settings.Check has read it
		}
		d.header = d.header.Set(message.NewField("Reply-To", wireMailbox(address.Mailbox{Address: a})))
		return "Reply-To set to " + a.String()
	}
	return ""
}

// repliesToList reports whether the list itself says where replies go.
func (d *draft) repliesToList() bool {
	return d.List.Settings.ReplyGoesToList == "list" || d.List.Settings.ReplyGoesToList == "explicit"
}

// listFields says which list this is and what can be done with it.
func listFields(d *draft) string {
	l, s := d.List, &d.List.Settings
	at := ""
	if Archives(l, d.header) {
		at = d.Site.MessageURL(l, d.Post.MessageID)
	}
	d.header = append(d.header, ListHeader(d.Site, l, at)...)
	if s.IncludeMLHeaders {
		add := func(name, value string) { d.header = append(d.header, message.NewField(name, value)) }
		number := strconv.FormatUint(d.Post.Number, 10)
		add("X-ML-Name", l.Address.Local())
		add("X-Mail-Count", number)
		add("X-Sequence", l.Address.Local()+" "+number)
	}
	if d.header.Get("Feedback-ID") == "" {
		d.header = append(d.header, FeedbackID(l, "list"))
	}
	return ""
}

// ListHeader returns the fields that say which list this is and what can be done with it (RFC 2919, RFC 2369, RFC 5064). archivedAt is
// the message's own address in the archive, "" for none.
func ListHeader(site *list.Site, l *list.List, archivedAt string) (h message.Header) {
	mail := func(suffix string) string { return "<mailto:" + l.Suffixed(suffix).Wire() }
	page := "<" + site.ListURL(l) + ">"
	add := func(name, value string) { h = append(h, message.NewField(name, value)) }

	add("List-Id", wirePhrase(l.Title())+" <"+l.ListID()+">")
	if l.Settings.AllowListPosts {
		add("List-Post", "<mailto:"+l.Address.Wire()+">")
	} else {
		add("List-Post", "NO")
	}
	add("List-Help", page+", "+mail("request")+"?subject=help>")
	add("List-Subscribe", page+", "+mail("join")+"?subject=subscribe>")
	add("List-Owner", mail("owner")+">")
	if l.Settings.ArchivePolicy != "never" {
		add("List-Archive", page)
	}
	if archivedAt != "" {
		add("Archived-At", "<"+archivedAt+">")
	}
	add("Precedence", "list")
	add("X-BeenThere", l.Address.Wire())
	add("X-Auto-Response-Suppress", "OOF, AutoReply")
	return h
}

// FeedbackID names the list and a kind of mail to Gmail's complaint statistics: "a:b:c:SenderId", never unique per message, SenderId of 5 to 15 characters.
func FeedbackID(l *list.List, kind string) message.Field {
	domain := l.Address.ASCIIDomain()
	sum := sha256.Sum256([]byte(domain))
	return message.NewField("Feedback-ID", fmt.Sprintf("%s:%s:%s:kairan%s", l.Address.Local(), kind, domain, hex.EncodeToString(sum[:4])))
}
