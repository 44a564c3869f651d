package message

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestPseudo(t *testing.T) {
	t.Parallel()
	ps := NewPseudo("approved", "x-approved")
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	plain := "Content-Type: text/plain; charset=utf-8\n"
	html := "Content-Type: text/html; charset=utf-8\n"
	outlook := "<html><head><title>x: y</title><style>p {color:red}\n" + strings.Repeat("p {margin:0}\n", 1000) + "</style></head><body>\n<div class=WordSection1><p><o:p></o:p><span lang=EN>Approved:&nbsp;<b>yes</b></span></p><p>Hello.</p></div>"
	for name, tt := range map[string]struct{ raw, value, text string }{
		"plain":             {plain + "\nApproved: yes\n\nHello.\n", "yes", "Hello.\n"},
		"no blank line":     {plain + "\n\n \napproved :yes\nHello.\n", "yes", "Hello.\n"},
		"nothing else":      {plain + "\nX-Approved: yes", "yes", ""},
		"a word of its own": {plain + "\nApproved: s3cr:t\n\nHello.\n", "s3cr:t", "Hello.\n"},
		"a mark in front":   {plain + "\n\ufeffApproved: yes\nHello.\n", "yes", "Hello.\n"},
		"base64":            {plain + "Content-Transfer-Encoding: base64\n\n" + b64("Approved: yes\r\n\r\nこんにちは\r\n") + "\n", "yes", "こんにちは\n"},
		"quoted-printable":  {plain + "Content-Transfer-Encoding: quoted-printable\n\nAp=\nproved:=20yes\n\n=E3=81=82\n", "yes", "あ\n"},
		"iso-2022-jp":       {"Content-Type: text/plain; charset=iso-2022-jp\n\nApproved: yes\n\n\x1b$B$\"\x1b(B\n", "yes", "あ\n"},
		"shift_jis":         {"Content-Type: text/plain; charset=shift_jis\n\nApproved: yes\n\n\x82\xa0\n", "yes", "あ\n"},
		"html":              {html + "\n<div>Approved: yes</div><div>Hello.</div>", "yes", "Hello.\n"},
		"html of outlook":   {html + "\n" + outlook, "yes", "Hello.\n"},
		"html in base64":    {html + "Content-Transfer-Encoding: base64\n\n" + b64("<p>Approved: yes<br>Hello.</p>"), "yes", "Hello.\n"},
		"both":              {"Content-Type: multipart/alternative; boundary=b\n\n--b\n" + plain + "\nApproved: yes\n\nHello.\n--b\n" + html + "\n<p>Approved: yes<p>Hello.\n--b--\n", "yes", "Hello.\n"},
		"in a mixed":        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + plain + "Content-Transfer-Encoding: base64\n\n" + b64("Approved: yes\nHello.\n") + "\n--b\nContent-Type: application/pdf\n\nx\n--b--\n", "yes", "Hello.\n"},

		"the second line": {plain + "\nHello.\nApproved: yes\n", "", "Hello.\nApproved: yes\n"},
		"a sentence":      {plain + "\nApproved: the budget of 2027\n", "", "Approved: the budget of 2027\n"},
		"another word":    {plain + "\nDisapproved: yes\n", "", "Disapproved: yes\n"},
		"no word":         {plain + "\nApproved:\nyes\n", "", "Approved:\nyes\n"},
		"html: one line":  {html + "\n<p>Approved: yes\nHello.</p>", "", "Approved: yes Hello.\n"},
		"html: hidden":    {html + "\n<head><title>Approved: yes</title></head><p>Hello.</p>", "", "Hello.\n"},
		"an attachment":   {plain + "Content-Disposition: attachment\n\nApproved: yes\n", "", ""},
		"nothing":         {plain + "\n", "", ""},
	} {
		m := Parse([]byte(strings.ReplaceAll(tt.raw, "\n", "\r\n")))
		value, without := ps.Take(m)
		if got := without.Text(); value != tt.value || strings.TrimSpace(got) != strings.TrimSpace(tt.text) {
			t.Errorf("%s: %q, then %q, want %q, then %q", name, value, got, tt.value, tt.text)
		}
		if again, same := ps.Take(without); again != "" || value == "" && string(same.Raw()) != string(m.Raw()) {
			t.Errorf("%s: %q is left, or something changed", name, again)
		}
		for _, p := range without.Parts() {
			if value != "" && p.ContentType == "text/html" && strings.Contains(string(p.Decode()), "yes") {
				t.Errorf("%s: left in the HTML: %q", name, p.Decode())
			}
		}
	}
}

func FuzzPseudo(f *testing.F) {
	ps := NewPseudo("approved")
	f.Add("Content-Type: text/html\r\n\r\n<p>Approved: yes<br>")
	f.Add("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nApproved: yes\r\n--b\r\nContent-Type: text/html\r\n\r\nApproved: yes\r\n--b--")
	f.Add("\r\n\ufeff\r\nApproved: yes")
	f.Fuzz(func(t *testing.T, raw string) {
		m := Parse([]byte(raw))
		value, without := ps.Take(m)
		if value == "" && string(without.Raw()) != raw {
			t.Errorf("nothing found in %q, and it became %q", raw, without.Raw())
		}
	})
}
