package archivetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The words that are used most, by rank; vocabulary makes thousands of rarer ones of them.
var (
	japaneseWords = strings.Fields(`経路 障害 東京 ネットワーク 確認 日程 設定 運用 回線 機器 会議 監視 接続 作業 報告 対応 予定 連絡 情報 参加 資料 発表 質問 回答 検証 構成 通信 事業者 相互接続 経路制御 大阪 広告 収容 帯域 遅延 切替 復旧 ルーター サーバー スイッチ パケット プレフィックス ピアリング トラフィック メンテナンス アドレス セキュリティ データセンター クラウド 光ファイバー 伝送装置 電源設備 輻輳 冗長化 自動化 可視化 標準化 議事録 参加者 申込 締切 懇親会 事務局 プログラム 発表者 会場 若手 教育 災害 訓練 首都圏 関西 北海道 九州 沖縄 方法 問題 場合 必要 可能 変更 影響 原因 結果 時間 状況 利用 提供 管理 実施 計画 試験 導入 更新 停止 開始 終了 登録 削除 追加 公開 募集 開催 受付 案内 意見 検討 議論 提案 決定 共有 記録 測定 調査 分析 予算 費用 契約 顧客 担当 責任 組織 委員 企画 展示 講演 経験 技術 研究 開発 製品 規格 文書 手順 手元 現場 夜間 早朝 週末 年度 来月 先週 今回 前回 次回 本日 昨日 明日`)
	kanji         = []rune("経路障害東京確認日程設定運用回線機器会議監視接続作業報告対応予情参加資料発表質問答検証構成通信事業者相互制御大阪広告収容帯域遅延切替復旧光伝送装置電源備輻輳冗長化自動可視標準録申込締懇親局場若手教育災訓練首都圏関西北海道九州沖縄方法題合必要能変更影響原因結果時間状況利提供管理実施計画試験導入新停止開始終了登削除追公募集催受付案内意見討論提決共有記測定査分析算費契約顧客担当責任組織委員企展示講演技術研究製品規格文書順元現夜早朝週末年度来月先今回前次本昨明")
	particles     = []string{"の", "を", "が", "は", "で", "に", "と", "から", "まで", "について", "における", "としては"}
	endings       = []string{"しました。", "しています。", "と思います。", "でしょうか。", "お願いします。", "ありました。", "になります。", "です。"}
	englishWords  = strings.Fields(`the a of to in and we is that for on with this it from are be route peer prefix network router traffic link outage latency packet filter policy session transit customer announce withdraw upstream exchange community config maintenance interface hardware vendor software monitor capacity address registry origin validate leak hijack blackhole flow sample export import table memory failure restore window fiber optical switch server cache resolver query anycast region cluster deploy operator engineer meeting agenda question answer problem reason because should would could please thanks regards there when which they have been some will more about only after before under between still again never always today tomorrow yesterday morning night week month year first second last next same other many few most least change update report notice ticket incident repair splice cable duct rack power cooling battery generator door badge visit site office phone mail list archive member post reply thread topic draft review patch commit branch release version build test debug trace log alert graph metric threshold limit quota budget cost price contract order invoice supplier partner tenant subnet gateway tunnel overlay underlay label segment domain area zone border core edge access metro backbone ring mesh star tree path hop cost metric weight`)
	people        = []string{"佐藤 花子 <hanako@example.jp>", "鈴木 一郎 <ichiro@example.jp>", "髙橋 次郎 <jiro@example.co.jp>", "Ann Example <ann@example.com>", "Bob Sample <bob@noc.example.com>", "Carol Trial <carol@isp.test>"}
)

func init() {
	for n := range 300 {
		people = append(people, fmt.Sprintf("%s %s <user%03d@isp%02d.example.jp>", string(kanji[n%len(kanji)])+"田", string(kanji[n*7%len(kanji)])+"子", n, n%40))
	}
}

// vocabulary makes words, the most frequent first: 12,000 of Japanese, most of two characters, and 25,000 of English.
func vocabulary(r *rand.Rand) (ja, en []string) {
	ja = append(ja, japaneseWords...)
	seen := map[string]bool{}
	for len(ja) < 12_000 {
		w := string([]rune{kanji[r.IntN(len(kanji))], kanji[r.IntN(len(kanji))]})
		if r.IntN(4) == 0 {
			w = japaneseWords[r.IntN(len(japaneseWords))] + w
		}
		if !seen[w] {
			seen[w], ja = true, append(ja, w)
		}
	}
	syllables := strings.Fields("an ber cor del en fir gal hon in jor kel lim mon net or pal qui ros sel tar ul ven wes xi yor zen bri cla dro fle gra pli sta tro")
	en = append(en, englishWords...)
	for len(en) < 25_000 {
		w := syllables[r.IntN(len(syllables))] + syllables[r.IntN(len(syllables))]
		switch r.IntN(3) {
		case 0:
			w += syllables[r.IntN(len(syllables))]
		case 1:
			w = englishWords[r.IntN(len(englishWords))] + w
		}
		if !seen[w] {
			seen[w], en = true, append(en, w)
		}
	}
	return ja, en
}
