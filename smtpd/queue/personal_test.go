package queue_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/smtpd/smtptest"
)

// What arrives verifies, with a signature for each copy and with one for all.
func TestSignatures(t *testing.T) {
	t.Parallel()
	key, err := mailauth.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer := &mailauth.Signer{Domain: "example.jp", Selector: "k1", Key: key}
	_, txt := signer.Record()
	lookup := func(string) ([]string, error) { return []string{txt}, nil }
	for name, shared := range map[string]bool{"own": false, "shared": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := smtptest.NewSink(smtptest.Config{Record: true})
			w := newWorld(t, open(t), sink, queue.Options{})
			w.people.signer, w.people.shared = signer, shared
			w.post("a", members(30)...)
			w.run()
			w.untilEmpty()
			fields := map[string]bool{}
			for _, m := range sink.Messages() {
				v, err := dkim.VerifyWithOptions(bytes.NewReader(m.Data), &dkim.VerifyOptions{LookupTXT: lookup})
				if err != nil || len(v) != 1 || v[0].Err != nil {
					t.Fatalf("%v, %v in\n%s", v, err, m.Data)
				}
				field, _, _ := strings.Cut(string(m.Data), "\r\nList-Unsubscribe:")
				if shared {
					field, _, _ = strings.Cut(string(m.Data), "\r\nFrom:")
				}
				fields[field] = true
			}
			if want := 30; shared && len(fields) != 1 || !shared && len(fields) != want {
				t.Errorf("%d different signatures", len(fields))
			}
		})
	}
}

// A row whose copies cannot be made is tried again later; others go on.
func TestPersonaliseFails(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func() error{
		"error": func() error { return errors.New("no such list") },
		"panic": func() error { panic("a mistake") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sink := smtptest.NewSink(smtptest.Config{})
				w := newWorld(t, open(t), sink, queue.Options{Connections: 1})
				repaired := time.Now().Add(time.Hour)
				w.people.broken = func(ref string) error {
					if ref == "0" && time.Now().Before(repaired) {
						return broken()
					}
					return nil
				}
				w.post("a", members(150)...)
				w.run()
				time.Sleep(time.Second)
				rows := w.rows()
				if len(rows) != 3 || rows[0].Attempts != 1 || sink.Counts().Messages != int64(150-recipients(rows)) {
					t.Fatalf("%d rows left, %d copies sent", len(rows), sink.Counts().Messages)
				}
				time.Sleep(3 * time.Hour)
				if c := sink.Counts(); c.Messages != 150 || c.Repeats != 0 {
					t.Errorf("counts %+v, want 150", c)
				}
				s := w.statuses("a", members(150)[0])
				if diff := cmp.Diff(queue.Delivered, s[len(s)-1]); diff != "" || len(s) < 4 {
					t.Errorf("told %v", s)
				}
				w.stop()
			})
		})
	}
}
