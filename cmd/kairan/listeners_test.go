package main

import (
	"crypto/tls"
	"net"
	"net/smtp"
	"path/filepath"
	"testing"
	"time"

	"kairan/smtpd/smtptest"
)

// A mail server in front hands mail over by LMTP on a unix socket, and each recipient has its own reply; clients that come
// directly may use STARTTLS.
func TestLMTPAndStartTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := writeCertificate(cert, key, time.Now()); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "lmtp.sock")
	s := newSite(t, filepath.Join(dir, "data"), "", nil,
		"lmtp.listen = 'unix:"+socket+"'",
		"tls.cert = '"+cert+"'",
		"tls.key = '"+key+"'").withList()

	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	err = smtptest.Dialog(conn, `
S: 220 *
C: LHLO relay.test
S* 250
C: MAIL FROM:<ann@people.test>
S: 250 *
C: RCPT TO:<janog@lists.kairan.test>
S: 250 2.1.5 *
C: RCPT TO:<nobody@lists.kairan.test>
S: 550 5.1.1 *
C: RCPT TO:<janog-owner@lists.kairan.test>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: From: ann@people.test
C: To: janog@lists.kairan.test
C: Subject: Over LMTP
C: Message-ID: <lmtp@people.test>
C:
C: Hello.
C: .
S: 250 2.0.0 janog@lists.kairan.test*
S: 250 2.0.0 *
C: QUIT
S: 221 *
`)
	if err != nil {
		t.Error(err)
	}
	c, err := smtp.Dial(s.app.Config.SMTP.Listen[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true, ServerName: demoDomain}); err != nil {
		t.Fatal(err)
	}
	if state, ok := c.TLSConnectionState(); !ok || state.PeerCertificates[0].VerifyHostname(demoDomain) != nil {
		t.Errorf("TLS %v", state)
	}
	if err := c.Mail("ann@people.test"); err != nil {
		t.Error(err)
	}
	s.until("3 delivered", "trace", "lmtp@people.test")
}
