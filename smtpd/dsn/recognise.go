package dsn

import (
	"bytes"
	"strings"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

const (
	maxRead       = 1 << 20  // bytes of a message that are looked at
	maxText       = 64 << 10 // bytes of its text
	maxRecipients = 100
	maxWraps      = 2 // message/rfc822 levels a report may be forwarded in
)

// Recognise says what a message that came to a bounce address is and what it says of whom.
// It never fails: what it does not know is [Other].
func Recognise(msg *message.Message) Report {
	var first Report
	for level := range 1 + maxWraps {
		if raw := msg.Raw(); len(raw) > maxRead {
			msg = message.Parse(raw[:maxRead])
		}
		m := view(msg)
		r := m.recognise()
		if level == 0 {
			first = r
		}
		if r.Kind != Other {
			r.settle()
			return r
		}
		if m.wrapped == nil {
			break
		}
		msg = message.Parse(m.wrapped) // a report that somebody or some gateway forwarded whole
	}
	first.settle()
	return first
}

// mail is a message taken apart as far as reports need it.
type mail struct {
	header   message.Header
	status   []byte // the machine-readable part: message/delivery-status and its relatives
	feedback []byte // message/feedback-report
	read     bool   // there is a message/disposition-notification
	returned []byte // the returned message or its header
	wrapped  []byte // the first message/rfc822 part, which is a report itself if this is none
	text     string // for people, before the returned message
	subject  string // folded
	words    string // text, folded
	daemon   bool   // the author calls itself a mail system
}

// view takes a message apart.
func view(msg *message.Message) *mail {
	m := &mail{header: msg.Header()}
	for _, p := range msg.Parts() {
		switch {
		case p.IsMultipart():
		case p.ContentType == "message/delivery-status", p.ContentType == "message/global-delivery-status",
			p.ContentType == "text/delivery-status", p.ContentType == "message/xdelivery-status":
			if m.status == nil {
				m.status = append(p.Decode(), '\n')
			}
		case p.ContentType == "message/feedback-report":
			m.feedback = p.Decode()
		case p.ContentType == "message/disposition-notification", p.ContentType == "message/global-disposition-notification":
			m.read = true
		case m.returned != nil:
		case p.ContentType == "message/rfc822", p.ContentType == "message/global":
			m.returned = p.Decode()
			m.wrapped = m.returned
		case p.ContentType == "text/rfc822-headers", p.ContentType == "message/rfc822-headers",
			p.ContentType == "text/rfc822", p.ContentType == "message/global-headers", p.ContentType == "message/partial":
			m.returned = append(p.Decode(), "\r\n\r\n"...)
		}
	}
	text, rest := cutOriginal(clip(msg.Text(), maxText))
	if m.returned == nil && rest != "" {
		m.returned = []byte(rest)
	}
	m.text = text
	m.words = fold(clip(text, maxClassified*2))
	m.subject = fold(clip(m.header.Text("Subject"), 1000))
	m.daemon = fromDaemon(m.header)
	return m
}

// clip returns at most n bytes of s.
func clip(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}

// daemons are local parts and names that mail systems write reports under.
var daemons = []string{"mailer-daemon", "mailer daemon", "post_master", "mailer_daemon", "mailerdaemon", "postmaster", "mail-daemon", "maildaemon", "mail daemon", "mail delivery", "mail.delivery",
	"mail system", "mailsystem", "mail-system", "delivery subsystem", "mdaemon", "mmdf", "system administrator", "mail administrator", "mailadmin", "mail router",
	"message router", "microsoft outlook", "microsoft exchange", "microsoftexchange", "mailagent", "smtp gateway", "smtp@", "bounce", "ポストマスター"}

// fromDaemon reports whether the author calls itself a mail system, or the sender was null.
func fromDaemon(h message.Header) bool {
	switch strings.TrimSpace(h.Get("Return-Path")) {
	case "<>", "<MAILER-DAEMON>", "<#@[]>":
		return true
	}
	from := strings.ToLower(h.Text("From"))
	if from == "" {
		return h.Get("Return-Path") != "" || len(h.All("Received")) > 0
	}
	for _, d := range daemons {
		if strings.Contains(from, d) {
			return true
		}
	}
	return false
}

func (m *mail) recognise() Report {
	r := Report{Kind: Other, Class: NotABounce}
	r.Original, r.OriginalMessageID = original(m.returned)
	switch {
	case m.feedback != nil:
		m.complaint(&r)
		return r
	case m.status == nil && (r.Original.Get(junkField) != "" || m.header.Get(junkField) != ""):
		r.Kind, r.Format, r.FeedbackType = Complaint, "jmrp", "abuse"
		return r
	case m.read && m.status == nil:
		r.Kind, r.Format = Vacation, "mdn"
		return r
	case m.status != nil && m.structured(&r, "rfc3464", string(m.status)):
		return r
	}
	f, ok := m.form()
	if !ok {
		if m.vacation() || m.automatic() {
			r.Kind, r.Format = Vacation, "vacation"
		}
		return r
	}
	if lines := statusLines(m.text); lines != "" && m.structured(&r, f.name, lines) {
		return r
	}
	r.Kind, r.Format = f.kind, f.name
	m.listed(&r)
	return r
}

// original reads the header of the returned message.
func original(raw []byte) (message.Header, string) {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return nil, ""
	}
	h := message.Parse(raw).Header()
	if len(h) == 0 {
		return nil, ""
	}
	return h, message.MessageID(h.Get("Message-ID"))
}

// form finds the form of a report that has no machine-readable part, if it is a report.
func (m *mail) form() (format, bool) {
	_, reply := message.BaseSubject(m.header.Text("Subject"))
	subject := m.has(formats[len(formats)-1])
	var best format
	for _, f := range formats {
		if best.name == "" && m.has(f) {
			best = f
		}
	}
	failed := m.header.Get("X-Failed-Recipients") != ""
	loose := best.name == "gateway" || best.name == "subject" || best.name == "delayed"
	answered := m.header.Get("In-Reply-To") != "" && !m.daemon
	switch {
	case best.name == "" || m.vacation() && !failed && (loose || !m.daemon):
		return format{}, false
	case failed:
	case (reply || answered || !subject) && !m.daemon:
		return format{}, false // a person who quotes a bounce, or writes of one
	case loose && best.kind == Bounce:
		// Vague words count when somebody is named, or a reason is.
		if len(m.addresses()) == 0 && classify(0, "", m.text).weight < firm && !(m.daemon && subject) {
			return format{}, false
		}
	}
	return best, true
}

// has reports whether the mail has a mark of the form.
func (m *mail) has(f format) bool {
	for _, mark := range f.marks {
		switch f.where {
		case inHeader:
			if m.header.Get(mark) != "" {
				return true
			}
		case inSubject:
			if contains(m.subject, mark) {
				return true
			}
		case inBody:
			if contains(m.words, mark) {
				return true
			}
		}
	}
	return false
}

// vacation reports whether a machine answers for a person, in the words and fields such machines use.
func (m *mail) vacation() bool {
	for _, f := range vacations {
		if m.has(f) {
			return true
		}
	}
	return !m.daemon && m.automatic()
}

// automatic reports whether the mail says that a machine answers (RFC 3834, section 5); bounces say so too.
func (m *mail) automatic() bool {
	auto, _, _ := strings.Cut(strings.ToLower(m.header.Get("Auto-Submitted")), ";")
	precedence := strings.ToLower(m.header.Get("Precedence"))
	return strings.TrimSpace(auto) == "auto-replied" || precedence == "auto_reply"
}

// junkField is what Hotmail and its heirs put into the message they send back when somebody called it junk; around it
// stands no feedback report.
const junkField = "X-HmXmrOriginalRecipient"

// complaint reads a feedback report (RFC 5965).
func (m *mail) complaint(r *Report) {
	r.Kind, r.Format = Complaint, "arf"
	fields := message.Parse(append(m.feedback, "\r\n\r\n"...)).Header()
	r.FeedbackType = strings.ToLower(clip(fields.Get("Feedback-Type"), 100))
	r.MailFrom, _ = anyAddress(clip(fields.Get("Original-Mail-From"), 1000))
	for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient"} {
		for _, f := range fields.All(name) {
			if a, ok := anyAddress(f.Value()); ok && len(r.Recipients) < maxRecipients {
				r.Recipients = append(r.Recipients, Recipient{Address: a, Class: NotABounce, Reason: "complaint"})
			}
		}
	}
}

// anyAddress returns the first address in s.
func anyAddress(s string) (address.Address, bool) {
	s = strings.TrimSpace(s)
	if a, err := address.Parse(strings.Trim(s, "<>")); err == nil {
		return a, true
	}
	for _, found := range anAddress.FindAllString(clip(s, 2000), 5) {
		if a, err := address.Parse(strings.Trim(found, ".=+*'`|{}/")); err == nil {
			return a, true
		}
	}
	return address.Address{}, false
}
