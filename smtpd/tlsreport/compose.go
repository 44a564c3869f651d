package tlsreport

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mjl-/mox/tlsrpt"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/templates"
)

// document is a report ready to be sent.
type document struct {
	about, submitter string // domains
	id, file         string
	begin            time.Time
	sessions         int64
	failures         int64
	packed           []byte // JSON, compressed
}

// compose writes the report (RFC 8460, section 4.4). One about the same day has the same ID, however often it is written.
func (r *Reports) compose(k key, policies []tlsrpt.Result, submitter string) (*document, error) {
	end := dayEnd(k.A)
	d := &document{about: k.B, submitter: submitter, begin: end.AddDate(0, 0, -1), id: k.A + "." + k.B + "@" + submitter}
	last := end.Add(-time.Second)
	d.file = fmt.Sprintf("%s!%s!%d!%d.json.gz", submitter, d.about, d.begin.Unix(), last.Unix())
	report := tlsrpt.Report{OrganizationName: submitter, DateRange: tlsrpt.TLSRPTDateRange{Start: d.begin, End: last}, ContactInfo: r.Contact.String(), ReportID: d.id}
	for _, p := range policies {
		p.FailureDetails = slices.Concat([]tlsrpt.FailureDetails{}, p.FailureDetails) // [], not null
		report.Policies = append(report.Policies, p)
		d.sessions += p.Summary.TotalSuccessfulSessionCount + p.Summary.TotalFailureSessionCount
		d.failures += p.Summary.TotalFailureSessionCount
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := json.NewEncoder(z).Encode(report.Convert()); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	d.packed = packed.Bytes()
	return d, nil
}

// mail writes the message that carries a report (RFC 8460, section 5.3).
func (r *Reports) mail(d *document, to []address.Address, now time.Time) []byte {
	boundary := rand.Text()
	var receivers []string
	for _, a := range to {
		receivers = append(receivers, address.Mailbox{Address: a}.String())
	}
	from, _ := address.New("postmaster", d.submitter)
	h := message.Header{
		message.NewField("From", address.Mailbox{Address: from}.String()),
		message.NewField("To", strings.Join(receivers, ", ")),
		message.NewField("Subject", "Report Domain: "+d.about+" Submitter: "+d.submitter+" Report-ID: <"+d.id+">"),
		message.NewField("Date", now.UTC().Format(time.RFC1123Z)),
		message.NewField("Message-ID", "<"+message.NewID(d.submitter, now)+">"),
		message.NewField("TLS-Report-Domain", d.about),
		message.NewField("TLS-Report-Submitter", d.submitter),
		message.NewField("Auto-Submitted", "auto-generated"),
		message.NewField("MIME-Version", "1.0"),
		message.NewField("Content-Type", `multipart/report; report-type="tlsrpt"; boundary="`+boundary+`"`),
	}
	args := []any{"domain", d.about, "submitter", d.submitter, "day", d.begin.Format(time.DateOnly), "sessions", d.sessions, "failures", d.failures, "contact", r.Contact.String()}
	text := r.Templates.T(templates.LastResort, "tlsreport.text", args...) + "\n"
	if r.Language != templates.LastResort {
		text += "\n" + r.Templates.T(r.Language, "tlsreport.text", args...) + "\n"
	}
	var body bytes.Buffer
	part := func(content []byte, fields ...message.Field) {
		body.WriteString("--" + boundary + "\r\n")
		body.Write(message.Join(append(fields, message.NewField("Content-Transfer-Encoding", "base64")), base64Lines(content)))
	}
	part([]byte(strings.ReplaceAll(text, "\n", "\r\n")), message.NewField("Content-Type", "text/plain; charset=utf-8"))
	part(d.packed, message.NewField("Content-Type", "application/tlsrpt+gzip"), message.NewField("Content-Disposition", `attachment; filename="`+d.file+`"`))
	body.WriteString("--" + boundary + "--\r\n")
	return message.Join(h, body.Bytes())
}

// base64Lines is content in lines of base64.
func base64Lines(content []byte) []byte {
	var b bytes.Buffer
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(content)), 76) {
		b.Write(append(line, "\r\n"...))
	}
	return b.Bytes()
}
