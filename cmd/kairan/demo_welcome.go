package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"kairan/smtpd/message"
)

// example is a message to paste into a shell, and what will become of it.
type example struct {
	fate   string
	sender string // of the envelope
	id     string // Message-ID
	list   string // "" for exampleList
	lines  []string
}

const exampleList = "netops@" + demoDomain

// examples are three posts of the same kind: by a member, by a stranger, and by somebody who claims to be a member.
func examples(now time.Time) []example {
	post := func(fate, sender, from, subject, body string) example {
		_, domain, _ := strings.Cut(sender, "@")
		id := message.NewID(domain, now)
		return example{fate: fate, sender: sender, id: id, lines: []string{
			"From: " + from,
			"To: " + exampleList,
			"Subject: " + subject,
			"Date: " + now.Format("Mon, 2 Jan 2006 15:04:05 -0700"),
			"Message-ID: <" + id + ">",
			"Content-Type: text/plain; charset=utf-8",
			"",
			body,
		}}
	}
	return []example{
		post("1. A member posts: accepted, and everybody gets a copy. / 会員の投稿: 受理され、全員に届きます。",
			"misaki@example.jp", "Misaki Uno <misaki@example.jp>", "Hello from the demo", "こんにちは、宇野です。日本語も届いていますか。"),
		post("2. A stranger posts: held for a moderator. / 会員でない人の投稿: モデレーターの承認待ちになります。",
			"tabibito@newcomer.test", "Tabibito <tabibito@newcomer.test>", "May I join?", "はじめまして。参加してもよいですか。"),
		post("3. A forger claims to be a member: refused at once (550). / 会員を装う投稿: その場で拒否されます。",
			"mallory@forger.test", "Sora Ogawa <sora@isp.test>", "Urgent: new bank account", "振込先が変わりました。"),
	}
}

// message is the example as it goes over the wire.
func (e example) message() []byte { return []byte(strings.Join(e.lines, "\r\n") + "\r\n") }

// command sends the example, pasted into a shell, and shows the server's last word.
func (e example) command(smtp string) string {
	return fmt.Sprintf("printf '%%s\\n' '%s' |\n  curl -sv --crlf --url smtp://%s --mail-from %s --mail-rcpt %s --upload-file - 2>&1 | grep '^<.*%[4]s'",
		strings.Join(e.lines, "' \\\n  '"), smtp, e.sender, exampleList)
}

// kairan is how this program is called from another terminal.
func kairan() string {
	if strings.Contains(os.Args[0], "go-build") { // that of `go run`, which is gone when it ends
		return "go run ./cmd/kairan"
	}
	return os.Args[0]
}

// welcome prints where everything is and what to try.
func (d *demo) welcome(ctx context.Context, w io.Writer, now time.Time) error {
	cli := kairan() + " -c " + d.configFile()
	lines := []string{
		"",
		"Kairan's demo: two lists, fifty people, and no mail leaves this machine.",
		"Kairan のデモです。メーリングリスト二つに五十人。メールは外に出ません。",
		"",
		"  Lists and archives / リストと過去の投稿       " + d.app.Site.URL + "/",
		"  Copies that would leave / 送信トレイ          " + d.app.Site.URL + d.outbox.dir,
		"  Sign in as one of the people / ログイン       " + d.app.Site.URL + signInPath,
		"  Log / ログ                                    " + d.logFile(),
		"",
		"Paste into another terminal / 別の端末に貼り付けてください",
	}
	for _, e := range examples(now) {
		lines = append(lines, "", "# "+e.fate, e.command(reachable(d.smtp)), cli+" trace '<"+e.id+">'")
	}
	lines = append(lines, "",
		"# Held posts, and everything else / 保留中の投稿など",
		cli+" held ls "+exampleList,
		cli+" --help",
		"")
	if d.kept {
		lines = append(lines, "Ctrl-C ends the demo; "+d.dir+" stays. / Ctrl-C で終わります。フォルダは残ります。")
	} else {
		lines = append(lines, "Ctrl-C ends the demo and removes "+d.dir+". / Ctrl-C で終わり、フォルダも消えます。")
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n\n")
	return err
}
