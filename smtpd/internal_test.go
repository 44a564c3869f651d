package smtpd

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

func TestReplyLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reply Reply
		want  string
	}{
		{Reply{}, "250 2.0.0 OK"},
		{Reply{Code: 251, Enhanced: [3]int{2, 1, 5}, Text: "Forwarded"}, "251 2.1.5 Forwarded"},
		{Reply{Code: 550}, "550 5.0.0 Refused"},
		{Reply{Code: 450}, "450 4.0.0 Please try again later"},
		{Reply{Code: 550, Enhanced: [3]int{4, 1, 1}, Text: "x"}, "550 5.0.0 x"},
		{Reply{Code: 550, Enhanced: [3]int{5, -1, 1000}, Text: "x"}, "550 5.0.0 x"},
		{Reply{Code: 550, Text: "a\r\n250 b\x00\x1b\u56de\t c\u0085"}, "550 5.0.0 a  250 b?  c?"},
		{Reply{Code: 550, Text: "\r\n"}, "550 5.0.0 Refused"},
		{Reply{Code: 550, Text: strings.Repeat("x", 1000)}, "550 5.0.0 " + strings.Repeat("x", 400)},
		// What makes no sense is an error of ours.
		{Reply{Code: 354}, "451 4.3.0 Error in processing, please try again later"},
		{Reply{Code: 700}, "451 4.3.0 Error in processing, please try again later"},
		{Reply{Code: -250}, "451 4.3.0 Error in processing, please try again later"},
		{Reply{Code: 25}, "451 4.3.0 Error in processing, please try again later"},
	}
	for _, tt := range tests {
		if got := tt.reply.line(); got != tt.want+"\r\n" {
			t.Errorf("%+v: got %q, want %q", tt.reply, got, tt.want)
		}
	}
}

func TestReplyAsError(t *testing.T) {
	t.Parallel()
	if err := (Reply{Code: 250}).asError(); err != nil {
		t.Errorf("250 is the error %v", err)
	}
	err := Reply{Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "No such list"}.asError()
	got, ok := errors.AsType[*smtp.SMTPError](err)
	want := smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such list"}
	if !ok || *got != want {
		t.Errorf("got %+v, want %+v", err, want)
	}
}

func TestReceived(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 22, 9, 30, 0, 0, time.FixedZone("JST", 9*3600))
	tests := []struct {
		env  Envelope
		want string
	}{
		{
			Envelope{ID: "AB12", RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.com", TLS: true},
			"from mail.example.com ([192.0.2.1]) by lists.example.jp with ESMTPS id AB12; Thu, 22 Jan 2026 09:30:00 +0900",
		},
		{
			Envelope{ID: "1", RemoteIP: netip.MustParseAddr("2001:db8::1"), Helo: "[IPv6:2001:db8::1]", UTF8: true},
			"from [IPv6:2001:db8::1] ([IPv6:2001:db8::1]) by lists.example.jp with UTF8SMTP id 1; Thu, 22 Jan 2026 09:30:00 +0900",
		},
		{
			Envelope{ID: "1", Helo: "relay", LMTP: true},
			"from relay (local socket) by lists.example.jp with LMTP id 1; Thu, 22 Jan 2026 09:30:00 +0900",
		},
		{
			Envelope{ID: "1", RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "old", Basic: true},
			"from old ([192.0.2.1]) by lists.example.jp with SMTP id 1; Thu, 22 Jan 2026 09:30:00 +0900",
		},
		{
			Envelope{ID: "1\r\nX: y", RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "a\r\nBcc: (x); eve"},
			"from aBcc:xeve ([192.0.2.1]) by lists.example.jp with ESMTP id 1X:y; Thu, 22 Jan 2026 09:30:00 +0900",
		},
	}
	for _, tt := range tests {
		tt.env.At = at
		field := tt.env.Received("lists.example.jp")
		if got := field.Value(); field.Name != "Received" || got != tt.want {
			t.Errorf("got  %s: %s\nwant %s", field.Name, got, tt.want)
		}
	}
}

func TestProtocol(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]Envelope{
		"SMTP": {Basic: true}, "ESMTP": {}, "ESMTPS": {TLS: true}, "UTF8SMTP": {UTF8: true}, "UTF8SMTPS": {UTF8: true, TLS: true},
		"LMTP": {LMTP: true}, "LMTPS": {LMTP: true, TLS: true}, "UTF8LMTP": {LMTP: true, UTF8: true}, "UTF8LMTPS": {LMTP: true, UTF8: true, TLS: true},
	} {
		if got := env.protocol(); got != want {
			t.Errorf("%+v: got %s, want %s", env, got, want)
		}
	}
}

func TestCutPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, path, params string
		ok               bool
	}{
		{"<ann@example.com>", "ann@example.com", "", true},
		{" <ann@example.com> SIZE=1", "ann@example.com", " SIZE=1", true},
		{"<>", "", "", true},
		{`<"a> RET=FULL"@b> X`, `"a> RET=FULL"@b`, " X", true},
		{`<"\">"@b>`, `"\">"@b`, "", true},
		{"<@a,@b:c@d>", "c@d", "", true},
		{"<@a>", "", "", true},
		{"<a@b", "", "", false},
		{"a@b", "", "", false},
		{"<a@b>c", "", "", false},
		{`<"a@b>`, "", "", false},
		{`<"a\`, "", "", false},
		{"", "", "", false},
	}
	for _, tt := range tests {
		path, params, ok := cutPath(tt.in)
		if path != tt.path || params != tt.params || ok != tt.ok {
			t.Errorf("%q: got %q, %q, %v, want %q, %q, %v", tt.in, path, params, ok, tt.path, tt.params, tt.ok)
		}
	}
}
