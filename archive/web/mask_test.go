package web

import (
	"regexp"
	"strings"
	"testing"
)

// mailAddress is what archive.NextAddress finds.
var mailAddress = regexp.MustCompile(`[\pL\pN!#$%&'*+/=?^_{|}~.-]{1,64}@(?:[\pL\pN-]{1,63}\.){1,8}[\pL][\pL\pN-]{1,62}`)

func FuzzMask(f *testing.F) {
	for _, s := range []string{
		"", "@", "ann@example.jp", "<ann@example.jp>, bob.x+y@lists.example.co.jp.", "a@b@c.dd@ee.ff", "あん@例え.jp", "a@b.c", "a@b.c1", "a@b.1c", "a@b..cc", "a@.cc",
		strings.Repeat("x", 70) + "@example.jp", "a@" + strings.Repeat("y", 64) + ".jp", "a@b." + strings.Repeat("z", 70), "a@" + strings.Repeat("b.", 9) + "cc",
		"a@b.cc.d", "a@b.cc.1", "\xff@b.cc", "a@b\xff.cc", "x@y.zz@q.rr", "٣@٣.ab", "a@bb.cc-", "a@-.--a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := mailAddress.ReplaceAllStringFunc(s, maskAddress)
		if got := MaskText(s, ""); got != want {
			t.Errorf("%q\n got %q\nwant %q", s, got, want)
		}
	})
}
