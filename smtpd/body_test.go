package smtpd_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
)

const begin = `S: 220 *
C: EHLO mail.example.com
S* 250
C: MAIL FROM:<ann@example.com>
S: 250 *
C: RCPT TO:<janog@example.jp>
S: 250 *
C: DATA
S: 354 *
`

// again proves that the session is in order after a message was refused.
const again = `C: MAIL FROM:<bob@example.com>
S: 250 *
C: RCPT TO:<janog@example.jp>
S: 250 *
C: DATA
S: 354 *
C= "Subject: clean\r\n\r\n.\r\n"
S: 250 *
`

// TestSmuggling sends what some servers take for the end of a message and others do not.
// The message of eve must never arrive.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	const eve = "MAIL FROM:<eve@example.com>\r\nRCPT TO:<janog@example.jp>\r\nDATA\r\nSubject: smuggled\r\n\r\n"
	for _, end := range []string{
		"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r\n\x00.\r\n", "\n\n.\r\n", "\r\n.\r\r\n",
	} {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			t.Parallel()
			body := "Subject: x\r\n\r\nbody" + end + eve
			reply := "550 5.5.2"
			if strings.Contains(end, "\x00") { // not bare, and not the end either
				reply = "250"
			}
			got := play(t, &smtpd.Server{}, begin+fmt.Sprintf("C= %q\nC: .\nS: %s *\n", body, reply)+again)
			for _, d := range got {
				if d.env.From.Local() == "eve" || strings.Contains(strings.ReplaceAll(d.raw, "\r\n", ""), "\n") {
					t.Errorf("got a message from %s: %q", d.env.From, d.raw)
				}
			}
			if len(got) == 0 || got[len(got)-1].env.From.Local() != "bob" {
				t.Errorf("the message after it did not arrive: %v", got)
			}
		})
	}
}

// TestDoubtfulEnd sends an end that is one to us, but may not have been one to the server before us.
func TestDoubtfulEnd(t *testing.T) {
	t.Parallel()
	got := play(t, &smtpd.Server{}, begin+`C= "x\r\r\n.\r\nMAIL FROM:<eve@example.com>\r\n"`+"\nS: 550 5.5.2 *\nS.\n")
	if len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

// TestBytes compares messages with what arrives.
func TestBytes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1998) + "\r\n"
	tests := []struct {
		name, sent, want, reply string
	}{
		{"empty", "", "", "250"},
		{"dots", "..\r\n...\r\n.a\r\na.\r\n", ".\r\n..\r\na\r\na.\r\n", "250"},
		{"8bit", "Subject: \u56de\u89a7\r\n\r\n\x1b$B2sMw\x1b(B\xff\r\n", "Subject: \u56de\u89a7\r\n\r\n\x1b$B2sMw\x1b(B\xff\r\n", "250"},
		{"longest line", long, long, "250"},
		{"line too long", "x" + long, "", "554 5.6.0"},
		{"endless line", strings.Repeat("x", 100_000) + "\r\n", "", "554 5.6.0"},
		{"endless line cut at its CR", strings.Repeat("x", 16<<10-1) + "\r\n", "", "554 5.6.0"},
		{"many hops", strings.Repeat("Received: x\r\n", 101) + "\r\n", "", "554 5.6.0"},
		{"huge header", strings.Repeat("X: "+strings.Repeat("y", 900)+"\r\n", 200) + "\r\n", "", "554 5.6.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := play(t, &smtpd.Server{}, begin+fmt.Sprintf("C= %q\nC: .\nS: %s *\n", tt.sent, tt.reply)+again)
			if tt.reply == "250" {
				if len(got) != 2 || got[0].raw != tt.want {
					t.Errorf("got %v, want %q", got, tt.want)
				}
			} else if len(got) != 1 {
				t.Errorf("got %d messages, want the clean one only", len(got))
			}
		})
	}
}

// TestLimitSentence proves that the reply says which limit of the header was broken.
func TestLimitSentence(t *testing.T) {
	t.Parallel()
	raw := strings.Repeat("X: y\r\n", 501) + "\r\n"
	fault := message.Parse([]byte(raw)).Check(message.DefaultLimits)
	if fault == "" {
		t.Fatal("501 fields are within limits")
	}
	play(t, &smtpd.Server{}, begin+fmt.Sprintf("C= %q\nC: .\nS: 554 5.6.0 %s\n", raw, fault))
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	s := &smtpd.Server{Limits: smtpd.Limits{InFlightBytes: 100_000}}
	big := `C* 3000 "0123456789012345678901234567890123456789\r\n"` + "\nC: .\n"
	got := play(t, s, begin+big+"S: 452 4.3.1 *\n"+again)
	if len(got) != 1 {
		t.Errorf("got %d messages, want 1", len(got))
	}
}

// FuzzMessage sends any bytes as a message. What the Handler gets must be clean, and
// what was sent when no more than dots were taken away.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"", "a\r\n", "..\r\n", "a\n.\n", "a\r.\r", "\r\r\n", "a\r\n.", "\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h := &house{}
		s := &smtpd.Server{Handler: h, Limits: smtpd.Limits{MessageBytes: 10_000, LineBytes: 200}}
		l := smtptest.NewPipeListener()
		serve(t, s, l)
		conn, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		script := begin + fmt.Sprintf("C= %q\nC= \"\\r\\n.\\r\\nRSET\\r\\nQUIT\\r\\n\"\n", body)
		if err := smtptest.Dialog(conn, script+"S: *\n"); err != nil {
			t.Fatal(err)
		}
		for _, d := range h.deliveries() {
			if d.env.From.Local() != "ann" { // body may hold an end and a whole dialog
				continue
			}
			if rest := strings.ReplaceAll(d.raw, "\r\n", ""); strings.ContainsAny(rest, "\r\n") {
				t.Errorf("bare CR or LF in %q", d.raw)
			}
			dotted := append([]byte(strings.ReplaceAll("\r\n"+d.raw, "\r\n.", "\r\n.."))[2:], ".\r\n"...)
			undotted := bytes.ReplaceAll(append([]byte("\r\n"), body...), []byte("\r\n."), []byte("\r\n"))[2:]
			if !bytes.HasPrefix(append(body, "\r\n.\r\n"...), dotted) &&
				!bytes.HasPrefix(append(undotted, "\r\n"...), []byte(d.raw)) {
				t.Errorf("sent %q:\n%s", body, cmp.Diff(string(body), d.raw))
			}
		}
	})
}
