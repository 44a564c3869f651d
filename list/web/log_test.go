package web

import (
	"errors"
	"testing"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// TestOwnReasons: what the program did by itself has its reason in the reader's language, as what people wrote stays as they wrote it.
func TestOwnReasons(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	now := time.Now()
	w.update(func(tx *storage.Tx) error {
		s := l.Settings
		s.Emergency = true
		_, err := list.Change(tx, l.ID, s, list.Edit{By: "olga@example.jp", Why: "a <flood>", At: now, FallsBack: now})
		return errors.Join(err, list.FallBack(tx, l.ID, now.Add(time.Minute)))
	})
	w.update(func(tx *storage.Tx) error {
		_, err := list.Ban(tx, l.ID, "evil.test", list.Edit{By: "mori@example.jp", Why: list.WhyDiscarded, At: now})
		return err
	})
	w.update(func(tx *storage.Tx) error {
		return list.NoteMember(tx, l.ID, address.Must("ann@example.jp"), list.Event{At: now, Stage: "join", By: list.ByTime, Word: "request.join.discard"})
	})
	me := w.login("olga@example.jp")
	for _, path := range []string{"/-/admin/janog/log", "/-/admin/janog/bans", "/-/admin/janog/settings/emergency"} {
		_, page := w.get(path+"?lang=ja", me)
		hasNot(t, page, "was not confirmed", list.WhyDiscarded)
	}
	_, page := w.get("/-/admin/janog/log?lang=ja", me)
	has(t, page, "変更 1 が確定されなかったため", "保留中の投稿を破棄し、あわせて禁止", "a &lt;flood&gt;", "ann@example.jp の参加申請を破棄", "自動（期限切れのため）")
	_, page = w.get("/-/admin/janog/log?lang=en", me)
	has(t, page, "change 1 was not confirmed", "discarded and banned in moderation", "The request of ann@example.jp to join was discarded", "by itself (nobody decided in time)")
}
