package message

import (
	"testing"
	"unicode"
)

func TestControlsAreFound(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if text := "a" + string(r); unicode.IsControl(r) && r != '\n' && r != '\t' && !mayHaveControls(text) {
			t.Errorf("%U is passed over", r)
		}
	}
	if !mayHaveControls("a\xff") || mayHaveControls("日本語\tabc\n") {
		t.Error("broken UTF-8 is passed over, or a plain text is not")
	}
}
