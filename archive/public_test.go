package archive_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/archive"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	crlf := strings.NewReplacer("\n", "\r\n")
	encode := func(s string) string {
		e := base64.StdEncoding.EncodeToString([]byte(crlf.Replace(s)))
		var lines []string
		for len(e) > 76 {
			lines = append(lines, e[:76])
			e = e[76:]
		}
		return strings.Join(append(lines, e), "\n")
	}
	for name, c := range map[string]struct{ raw, want string }{
		"header": {
			`Authentication-Results: lists.example.jp; dkim=pass
Received: from mx.example.com (192.0.2.1)
 by lists.example.jp
Return-Path: <ann@example.jp>
Delivered-To: janog@lists.example.jp
X-Original-To: janog@lists.example.jp
Authentication-Results: mx.example.com; spf=pass
ARC-Seal: i=1
ARC-Message-Signature: i=1
DKIM-Signature: v=1; d=example.jp
X-Kairan-Number: 99
X-Received: by x
X-Originating-IP: [192.0.2.9]
From: Ann <ann@example.jp>
To: janog@lists.example.jp, janog-confirm+abc234@lists.example.jp
Bcc: secret@example.jp
List-Unsubscribe: <https://lists.example.jp/-/u/abc>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
X-Other: <https://lists.example.jp/
 -/u/abc>
Errors-To: janog-bounces+mfrgg@lists.example.jp
X-Mailer: keeps
Subject:  two  spaces
	folded

body
`,
			`Authentication-Results: lists.example.jp; dkim=pass
DKIM-Signature: v=1; d=example.jp
From: Ann <ann@example.jp>
To: janog@lists.example.jp, janog-confirm+xxxxxx@lists.example.jp
X-Mailer: keeps
Subject:  two  spaces
	folded

body
`,
		},
		"body": {
			"a: b\n\nhttps://lists.example.jp/-/u/abc-DEF_1.\n> janog-bounces+ab=example.jp@lists.example.jp\n",
			"a: b\n\nhttps://lists.example.jp/-/u/xxxxxxxxx.\n> janog-bounces+xxxxxxxxxxxxx@lists.example.jp\n",
		},
		"tokens of all kinds": {
			"Subject: confirm 0123456789abcdef0123456789abcdef\nTo: janog-leave+abc@lists.example.jp\n\n" +
				"/-/undo/abc /-/confirm/abc /-/never/abc.def /-/held/abc /-/login/abc\n" +
				"<mailto:janog-leave@lists.example.jp?subject=unsubscribe%200123456789ABCDEF0123456789abcdef>\nPlease confirm this, and unsubscribe 012 /-/why/held\n",
			"Subject: confirm xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nTo: janog-leave+xxx@lists.example.jp\n\n" +
				"/-/undo/xxx /-/confirm/xxx /-/never/xxxxxxx /-/held/xxx /-/login/xxx\n" +
				"<mailto:janog-leave@lists.example.jp?subject=unsubscribe%20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx>\nPlease confirm this, and unsubscribe 012 /-/why/held\n",
		},
		"quoted-printable": {
			"Content-Transfer-Encoding: quoted-printable\n\n=E5=9B=9E https://lists.example.jp/-/u/abc=\ndef end\n",
			"Content-Transfer-Encoding: quoted-printable\n\n=E5=9B=9E https://lists.example.jp/-/u/xxxxxx end\n",
		},
		"base64 within multipart": {
			"Content-Type: multipart/mixed; boundary=b\n\npre\n--b\nContent-Transfer-Encoding: BASE64\n\n" +
				encode(strings.Repeat("text\n", 30)+"/-/u/abcdef end\n") + "\n--b\nContent-Transfer-Encoding: base64\n\n" + encode("same") + "\n--b--\n",
			"Content-Type: multipart/mixed; boundary=b\n\npre\n--b\nContent-Transfer-Encoding: BASE64\n\n" +
				encode(strings.Repeat("text\n", 30)+"/-/u/xxxxxx end\n") + "\n--b\nContent-Transfer-Encoding: base64\n\n" + encode("same") + "\n--b--\n",
		},
		"footer behind base64": {
			"Content-Transfer-Encoding: base64\n\n" + encode("/-/u/abcdef end!!\n") + "\n____\nto leave: /-/u/abc\n",
			"Content-Transfer-Encoding: base64\n\n" + encode("/-/u/xxxxxx end!!\n") + "\n____\nto leave: /-/u/xxx\n",
		},
		"nothing to hide": {
			"From: a\nSubject: b\n\nbody\x80\nContent\n",
			"From: a\nSubject: b\n\nbody\x80\nContent\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := []byte(crlf.Replace(c.raw))
			if diff := cmp.Diff(crlf.Replace(c.want), string(archive.Public(raw))); diff != "" {
				t.Error(diff)
			}
			if string(raw) != crlf.Replace(c.raw) {
				t.Error("the message given was changed")
			}
		})
	}
}

func FuzzPublic(f *testing.F) {
	f.Add([]byte("Received: x\r\n\r\n/-/u/abc"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nLy0vdS9hYmM=\r\n--b--"))
	f.Add([]byte("Content-Transfer-Encoding: quoted-printable\r\n\r\n/-/u=\r\n/abc=2E=80"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		once := archive.Public(raw)
		if twice := archive.Public(once); string(twice) != string(once) {
			t.Errorf("not stable:\n%q\n%q\n%q", raw, once, twice)
		}
	})
}
