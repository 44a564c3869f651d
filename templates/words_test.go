package templates

import (
	"strings"
	"testing"
)

// Pages and mails have one word for joining and one for leaving: docs/contributing.md names them.
func TestOneWordForJoining(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	texts := map[string]string{}
	for key, e := range s.words["ja"] {
		texts[key] = joined(e.one) + joined(e.other)
	}
	for _, mail := range s.Mails() {
		w, _ := s.Wording(mail, "ja")
		texts["mail "+mail] = w.Subject + w.Body
	}
	for where, text := range texts {
		for _, other := range []string{"入会", "加入", "入退会", "脱退", "脱会"} {
			if strings.Contains(text, other) {
				t.Errorf("%s says %s: %s", where, other, text)
			}
		}
	}
}
