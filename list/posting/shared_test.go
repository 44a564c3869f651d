package posting_test

import (
	"strings"
	"testing"

	"kairan/list"
	"kairan/list/listtest"
)

// Members at the providers that a list names share a header without a token; the others have their own.
func TestSharedCopies(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.SharedCopies = []string{"docomo"} })
	w.Join(l, list.RoleMember, "ann@people.test", "a..b@docomo.ne.jp", "cat@docomo.ne.jp", "dan@au.com")
	w.Run()
	post(t, w, 250, fromAnn(l, "1@people.test"))
	wait(t, w, 4)
	fields := map[string]string{}
	for _, m := range w.Sink.Messages() {
		_, rest, _ := strings.Cut(string(m.Data), "\r\nList-Unsubscribe:")
		header, _, _ := strings.Cut(rest, "\r\n\r\n")
		fields[m.To[0]] = header
	}
	for to, own := range map[string]bool{"ann@people.test": true, "a..b@docomo.ne.jp": false, "cat@docomo.ne.jp": false, "dan@au.com": true} {
		if got := strings.Contains(fields[to], "List-Unsubscribe-Post: "); got != own {
			t.Errorf("%s has a link of its own: %v, want %v\n%s", to, got, own, fields[to])
		}
	}
	if fields["a..b@docomo.ne.jp"] != fields["cat@docomo.ne.jp"] {
		t.Error("the copies to docomo differ")
	}
}

func TestSharedCopiesSetting(t *testing.T) {
	t.Parallel()
	s := list.DefaultSettings("ja")
	if s.SharedCopies = []string{"docomo", "au", "softbank"}; s.Check() != nil {
		t.Errorf("refused: %v", s.Check())
	}
	if s.SharedCopies = []string{"google"}; s.Check() == nil {
		t.Error("google offers one click and may be named")
	}
}
