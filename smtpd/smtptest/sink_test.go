package smtptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd"
)

// sink runs a sink in memory until the test ends.
func sink(t *testing.T, config Config) (*Sink, *PipeListener) {
	t.Helper()
	s, l := NewSink(config), NewPipeListener()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return s, l
}

func play(t *testing.T, l *PipeListener, script string) {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	if err := Dialog(conn, script); err != nil {
		t.Error(err)
	}
}

const hello = "S: 220 *\nC: EHLO mail.example.com\nS* 250\n"

// one is a message with Message-ID id to a recipient, as one pipelined write.
func one(id, to string) string {
	return fmt.Sprintf("C= %q\nS: 250 *\nS: 250 *\nS: 354 *\nS: 250 *\n",
		"MAIL FROM:<bounces@example.jp> SIZE=1\r\nRCPT TO:<"+to+">\r\nDATA\r\nSubject: x\r\nmessage-ID: <"+id+">\r\n\r\n..dot\r\n.\r\n")
}

func TestCounts(t *testing.T) {
	t.Parallel()
	s, l := sink(t, Config{Record: true})
	play(t, l, hello+one("1@test", "ann@example.com")+one("1@test", "bob@example.com")+one("1@test", "ann@example.com")+one("2@test", "ann@example.com"))
	if err := s.Wait(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	size := int64(len("Subject: x\r\nmessage-ID: <1@test>\r\n\r\n.dot\r\n"))
	want := Counts{Connections: 1, Messages: 4, Recipients: 4, Distinct: 3, Repeats: 1, Bytes: 4 * size}
	if got := s.Counts(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	inbox := s.Inbox("bob@example.com")
	if len(inbox) != 1 || inbox[0].MessageID != "1@test" || inbox[0].From != "bounces@example.jp" || inbox[0].Params != "SIZE=1" ||
		inbox[0].Helo != "mail.example.com" || !strings.HasSuffix(string(inbox[0].Data), "\r\n\r\n.dot\r\n") {
		t.Errorf("inbox of bob: %+v", inbox)
	}
}

func TestRecordCap(t *testing.T) {
	t.Parallel()
	s, l := sink(t, Config{Record: true, RecordBytes: 100})
	play(t, l, hello+one("1@test", "ann@example.com")+one("2@test", "ann@example.com")+one("3@test", "ann@example.com"))
	kept := s.Messages()
	if len(kept) != 2 || kept[0].MessageID != "2@test" || kept[1].MessageID != "3@test" {
		t.Errorf("kept %+v, want the last two", kept)
	}
}

func TestBareLines(t *testing.T) {
	t.Parallel()
	s, l := sink(t, Config{})
	play(t, l, hello+`C= "MAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nDATA\r\na\nb\r\nc\rd\r\ne\r\n.\r\n"`+"\nS: 250 *\nS: 250 *\nS: 354 *\nS: 250 *\n")
	if got := s.Counts().BareLines; got != 2 {
		t.Errorf("BareLines = %d, want 2", got)
	}
}

// TestBehaviours plays each way to misbehave.
func TestBehaviours(t *testing.T) {
	t.Parallel()
	rcpt := "C: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<a@example.com>\n"
	data := rcpt + "S: 250 *\nC: DATA\n"
	sent := data + "S: 354 *\nC: x\nC: .\n"
	tests := []struct {
		name      string
		stage     Stage
		behaviour Behaviour
		script    string
		taken     int64
		refused   int64
	}{
		{"no greeting", AtConnect, Behaviour{HangUp: true}, "S.\n", 0, 0},
		{"busy", AtConnect, Behaviour{Code: 421, Text: "4.3.2 Busy"}, "S: 421 4.3.2 Busy\nS.\n", 0, 1},
		{"unknown", AtRcpt, Behaviour{Code: 550, Text: "5.1.1 Who"}, hello + rcpt + "S: 550 5.1.1 Who\nC: DATA\nS: 554 *\n", 0, 1},
		{"grey", AtRcpt, Behaviour{Code: 450, Text: "4.2.0 Later"}, hello + rcpt + "S: 450 4.2.0 Later\n", 0, 1},
		{"drop at RCPT", AtRcpt, Behaviour{HangUp: true}, hello + rcpt + "S.\n", 0, 0},
		{"no DATA", AtData, Behaviour{Code: 451, Text: "4.3.0 No"}, hello + data + "S: 451 4.3.0 No\n", 0, 1},
		{"drop in the message", AtData, Behaviour{HangUp: true}, hello + data + "S: 354 *\nC: x\nS.\n", 0, 0},
		{"refused", AtEnd, Behaviour{Code: 554, Text: "5.7.1 Spam"}, hello + sent + "S: 554 5.7.1 Spam\nC: NOOP\nS: 250 *\n", 0, 1},
		{"no final reply", AtEnd, Behaviour{HangUp: true}, hello + sent + "S.\n", 1, 0},
		{"drop after it", AtEnd, Behaviour{HangUpAfter: true}, hello + sent + "S: 250 *\nS.\n", 1, 0},
		{"own words", AtEnd, Behaviour{Code: 250, Text: "2.6.0 Mine"}, hello + sent + "S: 250 2.6.0 Mine\n", 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, l := sink(t, Config{Behave: func(m Message) Behaviour {
				if m.Stage == tt.stage {
					return tt.behaviour
				}
				return Behaviour{}
			}})
			play(t, l, tt.script)
			if got := s.Counts(); got.Messages != tt.taken || got.Refused != tt.refused {
				t.Errorf("got %+v, want %d taken and %d refused", got, tt.taken, tt.refused)
			}
		})
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l := sink(t, Config{Behave: func(m Message) Behaviour {
			if m.Stage == AtEnd {
				return Behaviour{Delay: 10 * time.Second}
			}
			return Behaviour{}
		}})
		begin := time.Now()
		play(t, l, hello+one("1@test", "ann@example.com"))
		if got := time.Since(begin); got != 10*time.Second {
			t.Errorf("took %v, want 10s", got)
		}
	})
}

func TestOmit(t *testing.T) {
	t.Parallel()
	_, l := sink(t, Config{Omit: []string{"PIPELINING", "SMTPUTF8"}})
	play(t, l, "S: 220 *\nC: EHLO mail.example.com\nS: 250-sink.test\nS: 250-8BITMIME\nS: 250-ENHANCEDSTATUSCODES\nS: 250 SIZE\nC: HELO x\nS: 250 sink.test\n")
}

func TestSinkTLS(t *testing.T) {
	t.Parallel()
	s, l := sink(t, Config{TLS: certificate(t), Record: true})
	play(t, l, "S: 220 *\nC: EHLO a\nS* 250\nC= \"STARTTLS\\r\\nMAIL FROM:<>\\r\\n\"\nS: 220 *\nSTARTTLS\nC: EHLO b\nS* 250\n"+one("1@test", "ann@example.com"))
	if got := s.Messages(); len(got) != 1 || !got[0].TLS || got[0].Helo != "b" {
		t.Errorf("got %+v", got)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, l := sink(t, Config{})
		reached := make(chan error, 1)
		go func() { reached <- s.Wait(t.Context(), 2) }()
		play(t, l, hello+one("1@test", "ann@example.com"))
		synctest.Wait()
		select {
		case err := <-reached:
			t.Fatalf("Wait returned %v after one message", err)
		default:
		}
		play(t, l, hello+one("2@test", "ann@example.com"))
		if err := <-reached; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Wait(ctx, 3); err != context.DeadlineExceeded {
			t.Errorf("Wait = %v, want the deadline", err)
		}
	})
}

// TestDialogFails proves that a script that does not come true is an error.
func TestDialogFails(t *testing.T) {
	t.Parallel()
	_, l := sink(t, Config{})
	for script, want := range map[string]string{
		"S: 554 *":                    "line 1",
		hello + "C: NOOP\nS: 221 *":   "line 5",
		hello + "C: QUIT\nS* 250":     "line 5",
		hello + "X: what":             "no such step",
		hello + "C= unquoted":         "not a Go string",
		hello + "C: NOOP\nS.":         "want the end",
		hello + "C: QUIT\nS* 2\nS: *": "EOF",
	} {
		conn, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		if err := Dialog(conn, script); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", script, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, line string
		want          bool
	}{
		{"250 OK", "250 OK", true}, {"250", "250 OK", false}, {"250*", "250", true}, {"*OK", "250 OK", true},
		{"2*0*K", "250 OK", true}, {"a*a", "a", false}, {"*", "", true}, {"a*b*c", "acb", false}, {"", "", true}, {"", "x", false},
	} {
		if got := match(tt.pattern, tt.line); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.pattern, tt.line, got)
		}
	}
}

// BenchmarkSink sends messages of 4 KB to one recipient each over 10 connections, each write
// with the end of one message and the envelope of the next.
func BenchmarkSink(b *testing.B) {
	s := NewSink(Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()
	const conns = 10
	body := "Subject: x\r\nMessage-ID: <1@example.jp>\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 56) + ".\r\n"
	envelope := "MAIL FROM:<bounces@example.jp>\r\nRCPT TO:<ann@example.com>\r\nDATA\r\n"
	per := b.N/conns + 1
	b.ResetTimer()
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() { chain(b, l.Addr().String(), envelope, body, per) })
	}
	wg.Wait()
	b.StopTimer()
	if got := s.Counts().Messages; got != int64(conns*per) {
		b.Errorf("%d messages, want %d", got, conns*per)
	}
	b.ReportMetric(float64(conns*per)/b.Elapsed().Seconds(), "msg/s")
}

func chain(b *testing.B, addr, envelope, body string, messages int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	until := func(reply string) {
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				b.Error(err)
				return
			}
			if strings.HasPrefix(string(line), reply) {
				return
			}
		}
	}
	io.WriteString(conn, "EHLO mail.example.com\r\n")
	until("250 ")
	io.WriteString(conn, envelope)
	for i := range messages {
		until("354 ")
		if i == messages-1 {
			envelope = "QUIT\r\n"
		}
		io.WriteString(conn, body+envelope)
	}
	until("221 ")
}

func certificate(t *testing.T) *tls.Config {
	t.Helper()
	cert, err := smtpd.SelfSigned("sink.test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}
