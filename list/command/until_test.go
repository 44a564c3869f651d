package command

import (
	"strings"
	"testing"
	"time"
)

func TestUntil(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("JST", 9*3600)
	now := time.Date(2026, 11, 23, 18, 30, 0, 0, tokyo)
	for in, want := range map[string]string{
		"until 2026-12-24": "2026-12-24",
		"2026/12/24":       "2026-12-24",
		"till 12/24":       "2026-12-24",
		"1/5":              "2027-01-05",
		"11/23":            "2027-11-23", // today has begun
		"12月24日まで":         "2026-12-24",
		"2027年1月5日":        "2027-01-05",
		"for 2 weeks":      "2026-12-07",
		"2 weeks":          "2026-12-07",
		"10 days":          "2026-12-03",
		"2週間":              "2026-12-07",
		"3ヶ月":              "2027-02-23",
		"1 month":          "2026-12-23",
		"2026-02-30":       "",
		"2026-13-01":       "",
		"monday":           "",
		"until":            "",
		"9999":             "",
	} {
		words := strings.Fields(fold(in))
		got, ok := until(words, now)
		if ok != (want != "") || ok && got.Format("2006-01-02 15:04 -0700") != want+" 00:00 +0900" {
			t.Errorf("%q: %v %v, want %q", in, got, ok, want)
		}
	}
}
