package dsn

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

var sameAddress = cmp.Comparer(func(a, b address.Address) bool { return a == b })

// TestWriteIsRead: what we write, we and others can read.
func TestWriteIsRead(t *testing.T) {
	t.Parallel()
	rcpts := []Recipient{
		{Address: address.Must("taro@example.net"), Original: address.Must("t@example.org"), Action: "failed", Status: "5.1.1",
			Diagnostic: "550 no such user", MTA: "mx.example.net", Class: Gone, Reason: "unknown-user"},
		{Address: address.Must("太郎@example.net"), Action: "failed", Status: "5.2.2", Class: Full, Reason: "status-5.2.2"},
		{Address: address.Must("ta..ro.@docomo.ne.jp"), Action: "failed", Status: "5.7.1", Class: Policy, Reason: "status-5.7.1"},
	}
	raw := Write(Undelivered{
		From: address.Must("postmaster@lists.example.jp"), To: address.Must("hanako@example.jp"), ID: "r1@lists.example.jp", Host: "lists.example.jp",
		At: time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC), Subject: "配信できませんでした", Text: "次の宛先に\nお届けできませんでした。",
		Recipients: rcpts, Original: message.Parse([]byte("Message-ID: <p1@example.jp>\nSubject: x\n\n")).Header(),
	})
	msg := message.Parse(raw)
	if reason := msg.Check(message.DefaultLimits); reason != "" {
		t.Errorf("the report breaks a limit: %s", reason)
	}
	r := Recognise(msg)
	if r.Kind != Bounce || r.Format != "rfc3464" || r.OriginalMessageID != "p1@example.jp" {
		t.Errorf("got %s, original %q", summary(r), r.OriginalMessageID)
	}
	if diff := cmp.Diff(rcpts, r.Recipients, sameAddress); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if got := msg.Text(); got != "次の宛先に\nお届けできませんでした。\n" {
		t.Errorf("text %q", got)
	}
	if got := msg.Header().Text("Subject"); got != "配信できませんでした" {
		t.Errorf("subject %q", got)
	}
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a bare LF")
	}
}

// TestWriteKeepsItsShape: hostile values stay in their fields.
func TestWriteKeepsItsShape(t *testing.T) {
	t.Parallel()
	evil := "x\x00\r\n\r\nFinal-Recipient: rfc822; evil@example.com\r\nAction: failed\r\n--=_"
	raw := Write(Undelivered{
		From: address.Must("postmaster@lists.example.jp"), To: address.Must("hanako@example.jp"), ID: "r1@lists.example.jp",
		Host: evil, Subject: evil, Text: evil, Original: message.Header{{Name: "X", Raw: []byte("X: a\r\n\r\nbody\r\n")}},
		Recipients: []Recipient{{Address: address.Must("taro@example.net"), Action: "failed" + evil, Status: "5.1.1", Diagnostic: evil, MTA: evil}},
	})
	r := Recognise(message.Parse(raw))
	if len(r.Recipients) != 1 || r.Recipients[0].Address.String() != "taro@example.net" {
		t.Errorf("got %s", summary(r))
	}
	if n := len(message.Parse(raw).Parts()); n != 4 {
		t.Errorf("%d parts, want the container and 3", n)
	}
	if at := bytes.IndexFunc(raw, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' && r != '\t' }); at >= 0 {
		t.Errorf("a control character: %q", raw[max(0, at-40):at+1])
	}
}
