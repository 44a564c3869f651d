package render

import (
	"testing"
	"unicode"
)

func TestHiddenCharactersAreFound(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if isHidden(r) && !mayHide("a"+string(r)) {
			t.Errorf("%U is passed over", r)
		}
	}
	if mayHide("日本語\tabc\n") {
		t.Error("a plain text is looked at twice")
	}
}
