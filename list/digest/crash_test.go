package digest_test

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/digest"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// TestCrash stops the making of an issue after each stage, twice. There is one issue with one number, and everybody gets it once, with the same text.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, stage := range digest.Stages {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, World: listtest.New(t, nil)}
				w.l = w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
				const members = digest.Chunk + 50
				w.Update(func(tx *storage.Tx) error {
					for i := range members {
						m := list.Member{List: w.l.ID, Role: list.RoleMember, Address: address.Must(fmt.Sprintf("m%04d@people.test", i)), DeliveryMode: list.DeliveryModes()[1+i%2]}
						if err := list.Join(tx, m); err != nil {
							return err
						}
					}
					return nil
				})
				w.Join(w.l, list.RoleMember, "ann@people.test")
				w.Run()
				want := []string{w.post(0), w.post(0)}
				w.Stop()
				var issue *list.Post
				w.Update(func(tx *storage.Tx) (err error) {
					issue, err = list.CloseDigest(tx, w.l, time.Now(), "now", "")
					return err
				})
				for range 2 {
					if err := w.Digests.MakeUntil(t.Context(), issue.ID, stage); err != nil {
						t.Fatal(err)
					}
					w.Crash()
					time.Sleep(time.Hour)
				}
				w.Run()
				w.sleep(time.Hour)
				texts := map[bool]map[string]int{true: {}, false: {}}
				for i := range members {
					who := fmt.Sprintf("m%04d@people.test", i)
					in := w.Sink.Inbox(who)
					if len(in) != 1 {
						t.Fatalf("%s got %d mails", who, len(in))
					}
					msg := message.Parse(in[0].Data)
					texts[i%2 == 0][msg.Header().Get("Date")+msg.Header().Get("Message-ID")+string(msg.Body())]++
					if i < 2 {
						same(t, who, w.got(who).all(), want)
					}
				}
				if len(texts[true]) != 1 || len(texts[false]) != 1 {
					t.Errorf("%d texts in MIME and %d plain ones", len(texts[true]), len(texts[false]))
				}
				w.Update(func(tx *storage.Tx) error {
					s, err := list.GetDigestState(tx, w.l.ID)
					if s.Issue != 1 || s.Serial != 1 || s.Posts != 0 {
						t.Errorf("state: %+v", s)
					}
					n, err2 := list.DeliveryCounts(tx, issue.ID)
					if !maps.Equal(n, map[string]int{"delivered": members}) {
						t.Errorf("outcomes: %v", n)
					}
					if len(w.Outbox.Blobs(tx)) != 0 {
						t.Errorf("renditions that stay: %v", w.Outbox.Blobs(tx))
					}
					for range list.DigestsDue(tx) {
						t.Error("an issue is still due")
					}
					if err == nil {
						err = err2
					}
					return err
				})
				w.Stop()
			})
		})
	}
}
