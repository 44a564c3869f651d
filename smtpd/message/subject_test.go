package message_test

import (
	"strings"
	"testing"
	"time"

	"kairan/smtpd/message"
)

func TestBaseSubject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{ // "Re " stands for reply
		"会議":                            "会議",
		"Re: 会議":                        "Re 会議",
		"RE：会議":                         "Re 会議",
		"Ｒｅ： 会議":                        "Re 会議",
		"ＲＥ:会議":                         "Re 会議",
		"re : 会議":                       "Re 会議",
		"Re[2]: 会議":                     "Re 会議",
		"Re^2: 会議":                      "Re 会議",
		"Re(2): 会議":                     "Re 会議",
		"Re*2: 会議":                      "Re 会議",
		"Re2: 会議":                       "Re 会議",
		"Ｒｅ［２］：会議":                      "Re 会議",
		"返信：会議":                         "Re 会議",
		"返: 会議":                         "Re 会議",
		"転送：会議":                         "会議",
		"Fw: 会議":                        "会議",
		"FWD: Re: 会議":                   "Re 会議",
		"[Fwd: Re: 会議]":                 "Re 会議",
		"会議 (fwd)":                      "会議",
		"Re: 会議 (fwd) (FWD)":            "Re 会議",
		"AW: Sv: VS: Antw: 回复：会議":       "Re 会議",
		"Re: [janog:00123] RE： Re^2: x": "Re x",
		"[janog:00123] Re: [janog:00001] [wg] x  y": "Re x y",
		"(elena:00100) Re: x":                       "Re x",
		"(elena 00100) x":                           "x",
		"Re [janog]: x":                             "Re x",
		"[janog:00123]":                             "[janog:00123]",
		"Re: [janog:00123]":                         "Re [janog:00123]",
		"Re:":                                       "Re ",
		"":                                          "",
		"\u3000Re:\u3000会議\u3000":                   "Re 会議",
		"Report: x":                                 "Report: x",
		"Regarding: x":                              "Regarding: x",
		"Re x":                                      "Re x ", // no colon, no reply word
		"(important) x":                             "(important) x",
		"【重要】会議":                                    "【重要】会議",
		"（案）会議":                                     "（案）会議",
		"【janog:00123】会議":                           "会議",
		"Re: ［ｊａｎｏｇ：１２３］Re: 会議": "Re 会議",
		"返信：〔janog 123〕会議":      "Re 会議",
		"【速報 2020】会議":           "【速報 2020】会議",
		"【":                     "【",
		"RES: Rif: 会議":          "Re 会議",
		"WG: 会議":                "会議",
		"[x [y] z":              "[x [y] z",
		"返品: x":                 "返品: x",
	} {
		got, reply := message.BaseSubject(in)
		if reply {
			got = "Re " + got
		} else if in == "Re x" {
			got += " "
		}
		if got != want {
			t.Errorf("BaseSubject(%q) = %q, want %q", in, got, want)
		}
	}
	for _, unit := range []string{"Re: ", "[x]", "[", "(", "(fwd)", "Ｒｅ：", "[fwd:", "Re[", "^"} {
		message.BaseSubject(strings.Repeat(unit, 1<<15))
	}
}

func TestIsForward(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"会議": false, "Re: 会議": false, "Fwd: 会議": true, "転送：会議": true, "[Fwd: 会議]": true, "[janog:1] Fw: 会議": true,
		"Re: Fwd: 会議": false, "Fwd: Re: 会議": false, "会議 (fwd)": false,
	} {
		if got := message.IsForward(in); got != want {
			t.Errorf("IsForward(%q) = %t", in, got)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	const rfc = "2026-01-02 15:04:05 +0900"
	for in, want := range map[string]string{
		"Fri, 2 Jan 2026 15:04:05 +0900":              rfc,
		"Mon, 02 Jan 2026 15:04:05 +0900 (JST)":       rfc, // wrong weekday
		"2 Jan 2026 15:04:05 +0900":                   rfc,
		"Fri,2 jan 26 15:04:05 JST":                   rfc,
		"Fri, 2 January 2026 15:04:05 JST":            rfc,
		"Fri (x), 2 Jan (y (z)) 2026 15:04:05 +09:00": rfc,
		"Fri Jan  2 15:04:05 2026 +0900":              rfc,
		"Fri Jan  2 15:04:05 JST 2026":                rfc,
		"2026-01-02T15:04:05+09:00":                   rfc,
		"2026-01-02 15:04:05 +0900":                   rfc,
		"02-Jan-2026 15:04:05.123 +0900":              rfc,
		"Fri, 2 Jan 2026 15:04 +0900":                 "2026-01-02 15:04:00 +0900",
		"Fri, 2 Jan 2026 06:04:05":                    "2026-01-02 06:04:05 +0000",
		"Fri, 2 Jan 2026 06:04:05 GMT":                "2026-01-02 06:04:05 +0000",
		"Fri, 2 Jan 2026 06:04:05 -0000":              "2026-01-02 06:04:05 +0000",
		"Fri, 2 Jan 2026 06:04:05 +9999":              "2026-01-02 06:04:05 +0000",
		"Fri, 2 Jan 2026 06:04:05 +50579034":          "2026-01-02 06:04:05 +0000",
		"Fri, 2 Jan 2026 15:04:05 0900":               rfc,
		"Fri, 2 Jan 2026 06:04:05 東京":                 "2026-01-02 06:04:05 +0000",
		"Fri, 31 Dec 2016 23:59:60 +0000":             "2016-12-31 23:59:59 +0000",
		"2 Jan 99 00:00:00 +0000":                     "1999-01-02 00:00:00 +0000",
		"2 Jan 126 00:00:00 +0000":                    "2026-01-02 00:00:00 +0000",
		"2 Jan 2099 00:00:00 +0000":                   "2099-01-02 00:00:00 +0000", // the caller's to judge
		"":                                            "",
		"2 1月 2026 15:04:05 +0900":                    "",
		"金, 2 Jan 2026 15:04:05 +0900":                "",
		"31 Feb 2026 00:00:00 +0000":                  "",
		"2 Jan 1970 00:00:00 +0000":                   "",
		"2 Jan 2026":                                  "",
		"2 Jan 2026 25:00:00 +0000":                   "",
		"2 Jan 2026 -1:00:00 +0000":                   "",
		"2 Jan 99999 00:00:00 +0000":                  "",
		"tomorrow":                                    "",
		strings.Repeat("1 ", 1000):                    "",
	} {
		got := ""
		if d, ok := message.Parse([]byte("Date: " + in + "\r\n\r\n")).Date(); ok {
			got = d.Format("2006-01-02 15:04:05 -0700")
		}
		if got != want {
			t.Errorf("date %.60q: got %q, want %q", in, got, want)
		}
	}
	if _, ok := message.Parse(nil).Date(); ok {
		t.Error("a message without Date has a date")
	}
	if d, _ := message.Parse([]byte("Date: 2 Jan 2026 15:04:05 JST\r\n\r\n")).Date(); !d.Equal(time.Date(2026, 1, 2, 6, 4, 5, 0, time.UTC)) {
		t.Errorf("JST: %v", d)
	}
}
