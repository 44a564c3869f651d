package web

import (
	"testing"

	"kairan/archive"
)

func TestSubject(t *testing.T) {
	t.Parallel()
	q := &request{list: archive.Info{Name: "janog", Address: "janog@example.jp", Public: true}}
	for in, want := range map[string]string{
		"Re: [janog:00123] 日程":         "Re: 日程",
		"[JANOG 7] [PATCH 2/3] x":      "[PATCH 2/3] x",
		"[wg-dns 00007] x":             "x",
		"OSError: [Errno 2] x":         "OSError: [Errno 2] x",
		"[Bug 12345] x":                "[Bug 12345] x",
		"It is an integer [0, 2]":      "It is an integer [0, 2]",
		"Re: x: [0, 2]":                "Re: x: [0, 2]",
		"No forms [Ref:6450]":          "No forms [Ref:6450]",
		"[x] [janog:1] [janog:2]y":     "[x] y",
		"[RFC 7208] x":                 "[RFC 7208] x",
		"[janog:1]":                    "[janog:1]",
		"Re: 【janog:00123】日程":          "Re: 日程",
		"【速報 2020】日程":                  "【速報 2020】日程",
		"AS[65000]":                    "AS[65000]",
		"Re: [Janog] [PATCH] x":        "Re: [PATCH] x",
		"[janog]":                      "[janog]",
		"[PATCH v2 1/3] [wg-dns, 7] x": "[PATCH v2 1/3] x",
		"［janog：１２３］日程":                "日程",
	} {
		if got := q.subject(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
