package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// waitingPost is a post that waits for the moderators when the demo starts.
type waitingPost struct {
	list    string // local part
	id      string // Message-ID, the same at each start
	ago     time.Duration
	sender  string // of the envelope, and where it comes from
	from    string
	subject string
	fields  string // further header fields, each with its line end
	text    string
	file    string // attached
}

// waitingPosts are those that a moderator sees most: a newcomer, twice; spam; a forger; and somebody who writes to the whole world.
var waitingPosts = []waitingPost{{
	list: "netops", id: "hajimete.1@newcomer.test", ago: 20 * time.Hour, sender: "hinata@newcomer.test", from: "向日 葵 <hinata@newcomer.test>",
	subject: "はじめまして。経路集約について教えてください",
	text:    "はじめまして。向日と申します。\n\n社内で /24 が 40 本ほど広告されているのを集約したいのですが、\n切り替えの順番で気をつけることはありますか。\n\nまだ会員ではありません。よろしくお願いいたします。\n",
}, {
	list: "netops", id: "hajimete.2@newcomer.test", ago: 3 * time.Hour, sender: "hinata@newcomer.test", from: "向日 葵 <hinata@newcomer.test>",
	subject: "Re: はじめまして。経路集約について教えてください", fields: "References: <hajimete.1@newcomer.test>\n",
	text: "続けて失礼します。構成を書き忘れました。\n\nASBR 2 台、上流は 2 社です。\n",
}, {
	list: "netops", id: "offer.77@forger.test", ago: 90 * time.Minute, sender: "deals@forger.test", from: "Best Deals <deals@forger.test>",
	subject: "You won! IPv4 /16 for FREE, act today", fields: "X-Spam-Flag: YES\n",
	text: "Dear winner,\n\na whole /16 is waiting for you. Click here within 24 hours:\nhttp://forger.test/claim?id=4711\n\nThis is not a joke.\n", file: "invoice.pdf.exe",
}, {
	list: "netops", id: "seminar@campus.test", ago: 40 * time.Minute, sender: "rin@campus.test", from: "Rin <rin@campus.test>",
	subject: "公開セミナーのご案内", fields: "Cc: " + strings.TrimSuffix(strings.Repeat("all@campus.test, staff@campus.test, students@campus.test, ", 4), ", ") + "\n",
	text: "来月の公開セミナーのご案内です。会場とオンラインのどちらでも参加できます。\n",
}, {
	list: "wg-dns", id: "urgent@forger.test", ago: 50 * time.Minute, sender: "mallory@forger.test", from: "清水 みどり <midori@isp.test>",
	subject: "至急: 共有アカウントのパスワードを送ってください",
	text:    "清水です。\n\nゾーン管理の共有アカウントに入れなくなりました。\n今すぐ、このメールに返信でパスワードを送ってください。\n",
}}

// hold lets those posts come and wait, and somebody ask to join. What was decided since an earlier start stays decided. The moderators know
// of it all: there are no notices at the start.
func (d *demo) hold(ctx context.Context, lists map[string]*list.List, now time.Time) error {
	for _, w := range waitingPosts {
		if err := d.holdPost(ctx, lists[w.list], w, now); err != nil {
			return fmt.Errorf("%s: %w", w.id, err)
		}
	}
	return d.holdRequest(ctx, lists, now)
}

// holdRequest lets somebody ask to join, unless that was at an earlier start, and then notes that the moderators know.
func (d *demo) holdRequest(ctx context.Context, lists map[string]*list.List, now time.Time) error {
	l, who := lists["wg-dns"], address.Must("tsumugi@newcomer.test")
	asked := false
	err := d.app.DB.View(ctx, func(tx *storage.Tx) error {
		for range list.MemberHistory(tx, l.ID, who) {
			asked = true
		}
		return nil
	})
	if err != nil || asked {
		return err
	}
	if err := d.app.Moderation.HeldSubscription(ctx, subscribe.Held{List: l, Action: "join", Address: who, Name: "Tsumugi"}); err != nil {
		return err
	}
	return d.app.DB.Update(ctx, func(tx *storage.Tx) error {
		if err := list.NoteMember(tx, l.ID, who, list.Event{At: now, Stage: "join", Word: "request.join.waits"}); err != nil {
			return err
		}
		for _, l := range lists {
			if err := d.app.Moderation.SetNoticed(tx, l.ID, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// holdPost lets one of the posts come, unless it did at an earlier start.
func (d *demo) holdPost(ctx context.Context, l *list.List, w waitingPost, now time.Time) error {
	came := false
	err := d.app.DB.View(ctx, func(tx *storage.Tx) error {
		came = list.Posted(tx, w.id) > 0
		return nil
	})
	if err != nil || came {
		return err
	}
	at := now.Add(-w.ago)
	env := &smtpd.Envelope{
		ID: storage.NewID(at), RemoteIP: netip.MustParseAddr("127.0.0.1"), Helo: "mail." + address.Must(w.sender).Domain(),
		At: at, From: address.Must(w.sender), To: []address.Address{l.Address},
	}
	posts, err := d.app.Path.Receive(ctx, env, []*list.List{l}, w.message(l, at))
	if err == nil && !posts[0].Held() {
		err = fmt.Errorf("it does not wait: %s", posts[0].Verdict)
	}
	return err
}

// message is the post as it came.
func (w waitingPost) message(l *list.List, at time.Time) []byte {
	name, addr, _ := strings.Cut(w.from, " <")
	h := message.Header{
		message.NewField("From", message.TextField("From", name, "UTF-8").Value()+" <"+addr),
		message.NewField("To", l.Address.String()),
		message.TextField("Subject", w.subject, "UTF-8"),
		message.NewField("Date", at.Format("Mon, 2 Jan 2006 15:04:05 -0700")),
		message.NewField("Message-ID", "<"+w.id+">"),
		message.NewField("MIME-Version", "1.0"),
	}
	for field := range strings.Lines(w.fields) {
		name, value, _ := strings.Cut(strings.TrimSpace(field), ": ")
		h = append(h, message.NewField(name, value))
	}
	e := newEntity("text/plain; charset=UTF-8", "base64", base64Lines([]byte(crlf(w.text))))
	if w.file != "" {
		file := newEntity("application/octet-stream", "base64", base64Lines([]byte("no program")))
		file.header = append(file.header, message.NewField("Content-Disposition", fmt.Sprintf("attachment; filename=%q", w.file)))
		e = multipart("mixed", "=waits=", e, file)
	}
	return message.Join(append(h, e.header...), e.body)
}
