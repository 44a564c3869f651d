package smtpd_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/smtpd"
)

// FuzzDialog sends any bytes from the greeting on. The server must come to an end without
// a panic, and what its Handler gets must be clean.
func FuzzDialog(f *testing.F) {
	f.Add([]byte("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\nx: y\r\n.\r\nQUIT\r\n"))
	f.Add([]byte("HELO a\r\nMAIL FROM:<\"a> X\"@b.test> SIZE=1 BODY=8BITMIME\r\nRCPT TO:<@a:b@c.test> NOTIFY=NEVER\r\nDATA\r\n\n.\r\n.\r\n"))
	f.Add([]byte("EHLO a\r\nSTARTTLS\r\nBDAT 1 LAST\r\nx"))
	f.Add([]byte("LHLO a\r\nNOOP\nVRFY x\r\nRSET\r\nmail from:<a..b@c.test> SMTPUTF8 RET=FULL\r\n"))
	cert, err := smtpd.SelfSigned(hostname, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	f.Fuzz(func(t *testing.T, dialog []byte) {
		synctest.Test(t, func(t *testing.T) {
			h := &house{}
			var log syncBuffer
			s := &smtpd.Server{Handler: h, TLS: config, Log: slog.New(slog.NewTextHandler(&log, nil))}
			l := start(t, s)
			conn, err := l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			go conn.Write(dialog)
			said, _ := io.ReadAll(conn) // to the idle timeout at the latest
			conn.Close()
			if strings.Contains(log.String(), "smtp engine") {
				t.Errorf("the engine reports:\n%s", log.String())
			}
			plain, _, _ := strings.Cut(string(said), "\x15\x03") // an alert of TLS
			for line := range strings.Lines(plain) {
				if len(line) > 512 || len(line) < 6 || !strings.Contains("2345", line[:1]) || !strings.HasSuffix(line, "\r\n") {
					t.Errorf("said %q", line)
				}
			}
			for _, d := range h.deliveries() {
				if strings.ContainsAny(strings.ReplaceAll(d.raw, "\r\n", ""), "\r\n") {
					t.Errorf("bare CR or LF in %q", d.raw)
				}
			}
		})
	})
}
