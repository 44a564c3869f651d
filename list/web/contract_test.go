package web

import (
	"net/url"
	"strings"
	"testing"

	"kairan/list"
)

// hostileIDs are Message-IDs that mail really carries, or might.
var hostileIDs = []string{
	"a@example.jp", "a/b@example.jp", "a%2Fb@example.jp", `"a b"@example.jp`, "a?b#c@example.jp", "..@example.jp", "../../-/login",
	"日本語@example.jp", "a+b=c&d@example.jp", "<>'`{}|\\^[]@x", "//", "a\x00b\xff@x", "%", "raw", "2", "att/1/x", strings.Repeat("x", 900) + "@example.jp", "a;b,c$!*()~@[192.0.2.1]",
}

// TestLinksLeadBack: whatever a Message-ID holds, its link is one segment, from which a page reads the same ID.
func TestLinksLeadBack(t *testing.T) {
	t.Parallel()
	s := &list.Site{URL: "https://lists.example.jp"}
	l := &list.List{Name: "janog"}
	for _, id := range hostileIDs {
		link := s.MessageURL(l, id)
		segment, ok := strings.CutPrefix(link, "https://lists.example.jp/janog/m/")
		segment, ok2 := strings.CutSuffix(segment, "/")
		if got, err := url.PathUnescape(segment); !ok || !ok2 || err != nil || got != id || strings.ContainsAny(segment, "/?# ") {
			t.Errorf("%q: the link %s leads to %q, %v", id, link, got, err)
		}
	}
}
