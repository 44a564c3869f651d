package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kairan/storage/storagetest"
)

// samples are values for placeholders of mails, as the program fills them in; any other placeholder is shown in capitals.
var samples = map[string]string{
	"list": "JANOG", "posting": "janog@lists.example.jp", "owner": "janog-owner@lists.example.jp", "request": "janog-request@lists.example.jp",
	"join": "janog-join@lists.example.jp", "leave": "janog-leave@lists.example.jp", "address": "ann@example.jp", "who": "ann@example.jp",
	"url": "https://lists.example.jp/janog/", "confirm": "https://lists.example.jp/-/confirm/TOKEN", "never": "https://lists.example.jp/-/never/TOKEN",
	"link": "https://lists.example.jp/-/login/TOKEN", "site": "lists.example.jp", "code": "123456", "mark": "", "expires": "2026-12-24 18:00 JST",
	"subject": "IX の障害について", "received": "2026-12-21 18:00 JST", "reasons": "- REASON", "reason": "REASON", "days": "14",
	"mailto": "mailto:janog-confirm%2BTOKEN@lists.example.jp", "yes": "mailto:yes", "no": "mailto:no", "lines": "1. DONE", "what": "REQUEST",
	"entries": "1. ENTRY\n", "more": "MORE\n\n", "n": "3", "results": "> which\nANSWER\n", "commands": "    add bob@example.jp\n",
	"text": "OWN WORDS\n\n", "back": "THE WAY BACK", "said": "550 5.7.1 REPLY", "domains": "example.net, example.com", "host": "mx.example.net", "provider": "example.net", "removal": "REMOVAL", "remedy": "REMEDY",
	"title": "TITLE", "means": "MEANING", "do": "WHAT TO DO", "counts": "12 delivered", "recipients": "7,012", "number": "4711", "id": "1@example.jp",
	"which": "bob@example.com", "my": "https://lists.example.jp/-/my", "admin": "postmaster@example.jp", "conduct": "CODE OF CONDUCT\n\n", "volume": "2026", "issue": "12", "topics": "1. TOPIC\n",
}

// TestGoldenMails shows every mail in both languages. What the program fills in is shown by the stories of the packages that send them.
func TestGoldenMails(t *testing.T) {
	s := newSet(t)
	for _, lang := range Languages() {
		var b strings.Builder
		for _, name := range s.Mails() {
			args := maps.Clone(samples)
			all, _ := s.Placeholders(name)
			for _, p := range all {
				if _, ok := args[p]; !ok {
					args[p] = strings.ToUpper(p)
				}
			}
			subject, body, err := s.Mail(name, lang, args)
			if err != nil {
				t.Errorf("%s.%s: %v", name, lang, err)
			}
			fmt.Fprintf(&b, "==== %s\nSubject: %s\n\n%s\n", name, subject, body)
		}
		storagetest.Golden(t, "mails."+lang+".txt", []byte(b.String()))
	}
	for name := range samples {
		used := slices.ContainsFunc(s.Mails(), func(mail string) bool {
			all, _ := s.Placeholders(mail)
			return slices.Contains(all, name)
		})
		if !used {
			t.Errorf("no mail has {%s}", name)
		}
	}
}
