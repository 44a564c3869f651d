// Package archivetest writes mail for tests and figures: threads of network operators in Japanese and English, the same every time.
// Its people, hosts and addresses are those for documentation.
package archivetest

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"kairan/archive"
)

var (
	japanese  = strings.Fields(`東京 大阪 経路 障害 回線 設定 運用 監視 機器 接続 広告 収容 帯域 遅延 切替 復旧 確認 報告 連絡 予定 作業 会議 資料 発表 質問 回答 検証 構成 通信 事業者 相互接続 経路制御 ネットワーク ルーター サーバー スイッチ パケット プレフィックス ピアリング トラフィック メンテナンス アドレス セキュリティ データセンター クラウド 光ファイバー 伝送装置 電源設備 輻輳 冗長化 自動化 可視化 標準化 議事録 参加者 申込 締切 懇親会 事務局 プログラム 発表者 会場 若手 教育 災害 訓練 首都圏 関西 北海道 九州 沖縄`)
	particles = []string{"の", "を", "が", "は", "で", "に", "と", "から", "まで", "について", "における", "としては"}
	endings   = []string{"しました。", "しています。", "と思います。", "でしょうか。", "お願いします。", "ありました。", "になります。", "です。"}
	english   = strings.Fields(`the a of to in and we is that for on with this it from are be route peer prefix network router traffic link outage latency packet filter policy session transit customer announce withdraw upstream exchange community config maintenance interface hardware vendor software monitor capacity address registry origin validate leak hijack blackhole flow sample export import table memory failure restore window fiber optical switch server cache resolver query anycast region cluster deploy operator engineer meeting agenda question answer problem reason because should would could please thanks regards`)
	people    = []string{"佐藤 花子 <hanako@example.jp>", "鈴木 一郎 <ichiro@example.jp>", "髙橋 次郎 <jiro@example.co.jp>", "Ann Example <ann@example.com>", "Bob Sample <bob@noc.example.com>", "Carol Trial <carol@isp.test>"}
)

// Corpus writes posts.
type Corpus struct {
	Lists []string // list IDs, in turn; "list1" if empty
	r     *rand.Rand
	n     int
	rare  []string
}

// NewCorpus returns a corpus that is the same for the same seed.
func NewCorpus(seed uint64, lists ...string) *Corpus {
	c := &Corpus{Lists: lists, r: rand.New(rand.NewPCG(seed, 7))}
	if len(lists) == 0 {
		c.Lists = []string{"list1"}
	}
	for range 20_000 { // words that are seldom used: names, products, tickets
		c.rare = append(c.rare, fmt.Sprintf("%s%s%d", pick(c, english), pick(c, english), c.r.IntN(100)))
	}
	return c
}

// pick chooses as language does: few words often, many seldom.
func pick(c *Corpus, words []string) string {
	f := c.r.Float64()
	return words[int(f*f*float64(len(words)))]
}

// Start is when the corpus begins.
var Start = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)

// Next writes the next post, ten minutes after the last.
func (c *Corpus) Next() archive.Entry {
	c.n++
	n := c.n
	inJapanese := n/8%2 == 0
	first := n - n%8
	var body strings.Builder
	if n%8 != 0 {
		body.WriteString("On some day somebody wrote:\n")
		for range 2 + c.r.IntN(6) {
			body.WriteString("> " + c.sentence(inJapanese) + "\n")
		}
	}
	for range 6 + c.r.IntN(20) {
		body.WriteString(c.sentence(inJapanese) + "\n")
		if c.r.IntN(6) == 0 {
			body.WriteString(c.technical() + "\n")
		}
		if c.r.IntN(4) == 0 {
			body.WriteByte('\n')
		}
	}
	from := people[n%len(people)]
	body.WriteString("-- \n" + from + "\n")
	words := c.r
	title := "Topic " + fmt.Sprint(first) + " " + english[words.IntN(len(english))]
	if inJapanese {
		title = japanese[first%len(japanese)] + "の" + japanese[first/7%len(japanese)] + "について " + fmt.Sprint(first)
	}
	if n != first {
		title = "Re: " + title
	}
	return archive.Entry{
		List: c.Lists[n/8%len(c.Lists)], Post: fmt.Sprintf("p%d", n), Number: uint64(n), ID: fmt.Sprintf("m%d@example.jp", n),
		Received: Start.Add(time.Duration(n) * 10 * time.Minute),
		Raw:      c.mail(n, first, from, title, body.String()),
	}
}

func (c *Corpus) mail(n, first int, from, subject, body string) []byte {
	name, addr, _ := strings.Cut(from, " <")
	word := func(s string) string { return "=?UTF-8?B?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?=" }
	at := Start.Add(time.Duration(n) * 10 * time.Minute)
	h := "Received: from mx.example.jp (mx.example.jp [192.0.2.25]) by lists.example.jp; " + at.Format(time.RFC1123Z) + "\n" +
		"From: " + word(name) + " <" + addr + "\nTo: ops@lists.example.jp\nSubject: " + word(subject) + "\nDate: " + at.Format(time.RFC1123Z) +
		fmt.Sprintf("\nMessage-ID: <m%d@example.jp>\n", n)
	if n != first {
		h += fmt.Sprintf("In-Reply-To: <m%d@example.jp>\nReferences: <m%d@example.jp>\n", first, first)
	}
	h += "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
	return []byte(strings.ReplaceAll(h+body, "\n", "\r\n"))
}

func (c *Corpus) sentence(inJapanese bool) string {
	var b strings.Builder
	if inJapanese {
		for range 3 + c.r.IntN(4) {
			b.WriteString(pick(c, japanese) + particles[c.r.IntN(len(particles))])
		}
		return b.String() + endings[c.r.IntN(len(endings))]
	}
	for range 6 + c.r.IntN(10) {
		w := pick(c, english)
		if c.r.IntN(15) == 0 {
			w = pick(c, c.rare)
		}
		b.WriteString(w + " ")
	}
	return strings.TrimSpace(b.String()) + "."
}

// technical is a line that a router could have written.
func (c *Corpus) technical() string {
	return fmt.Sprintf("BGP neighbor 192.0.2.%d AS%d 2001:db8:%x::%x/48 r%d.pop%d.example.net up %d", c.r.IntN(256), 64496+c.r.IntN(16), c.r.IntN(9999), c.r.IntN(99), c.r.IntN(50), c.r.IntN(20), c.r.IntN(100000))
}

// Query returns a query as readers ask: a word, two words, a phrase, Japanese words of two characters, an address.
func (c *Corpus) Query() string {
	switch c.r.IntN(7) {
	case 0:
		return pick(c, c.rare)
	case 1:
		return english[c.r.IntN(len(english))] + " " + pick(c, c.rare)
	case 2:
		return `"` + english[c.r.IntN(len(english))] + " " + pick(c, english) + `"`
	case 3:
		return japanese[c.r.IntN(len(japanese))]
	case 4:
		return japanese[c.r.IntN(len(japanese))] + " " + pick(c, japanese)
	case 5:
		return `"` + japanese[c.r.IntN(len(japanese))] + particles[c.r.IntN(len(particles))] + pick(c, japanese) + `"`
	}
	return fmt.Sprintf("192.0.2.%d AS%d", c.r.IntN(256), 64496+c.r.IntN(16))
}
