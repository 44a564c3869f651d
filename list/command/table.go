package command

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// audience says who may use a command.
type audience int

const (
	anybody    audience = iota
	verified            // whose mail is authenticated
	members             // who is a member besides
	owners              // the list's owners, who confirm it
	moderators          // who decides about what is held, and confirms it
)

// entry is a row of the table.
type entry struct {
	name    string
	aliases []string
	usage   string
	may     audience
	args    func(args []string) bool // whether the words behind it fit
	run     func(s *session, c Command) error
}

// table is all commands in the order of the help text. The words "command.NAME" say what each does.
func table() []entry {
	return []entry{
		{"help", []string{"hel", "sos", "ヘルプ", "使い方"}, "help [COMMAND]", anybody, upTo(1), (*session).help},
		{"info", []string{"guide", "objective", "案内", "情報"}, "info", anybody, upTo(0), (*session).info},
		{"lists", []string{"list", "リスト", "リスト一覧"}, "lists", anybody, upTo(0), (*session).lists},
		{"which", []string{"status", "登録状況"}, "which", verified, upTo(0), (*session).which},
		{"join", []string{"subscribe", "sub", "参加", "登録", "入会", "購読"}, "join [NAME] [digest=mime|plain]", anybody, noAddress(5), (*session).join},
		{"leave", []string{"unsubscribe", "unsub", "uns", "signoff", "sig", "bye", "resign", "remove", "退会", "脱会", "脱退", "解除", "登録解除", "配信解除", "購読解除"}, "leave", anybody, noAddress(2), (*session).leave},
		{"confirm", []string{"con", "確認", "承認"}, "confirm TOKEN", anybody, isToken, (*session).confirm},
		{"set", []string{"設定"}, "set show | delivery on | delivery off [until DAY] | digest mime|plain|off | myposts on|off | ack on|off | receipt on|off | duplicates on|off | hide on|off | language ja|en | name NAME", members, setting, (*session).set},
		{"on", []string{"配信再開", "再開"}, "on", members, upTo(0), (*session).on},
		{"off", []string{"配信停止", "停止", "休止"}, "off [until DAY]", members, looksLikeUntil, (*session).off},
		{"digest", []string{"matome", "まとめ送り", "まとめ配信", "ダイジェスト"}, "digest mime|plain|off", members, isDigest, (*session).digest},
		{"chaddr", []string{"change-address", "アドレス変更"}, "chaddr [OLD] NEW", verified, addresses(1, 2), (*session).chaddr},
		{"who", []string{"review", "rev", "members", "名簿", "会員一覧"}, "who", verified, upTo(0), (*session).who},
		{"get", []string{"mget", "send", "取得"}, "get N | N-M | last:N | thread N", verified, numbers, (*session).get},
		{"thread", []string{"スレッド"}, "thread N", verified, numbers, (*session).thread},
		{"index", []string{"summary", "目次"}, "index [YYYY-MM]", verified, month, (*session).index},
		{"withdraw", []string{"取り下げ", "取下げ", "取消"}, "withdraw MESSAGE", verified, isMessage, (*session).withdraw},
		{"echo", nil, "echo TEXT", verified, upTo(100), (*session).echo},
		{"end", []string{"stop", "quit", "qui", "exit", "終了", "終わり", "おわり"}, "end", anybody, upTo(0), nil}, // known to Parse
		{"add", []string{"追加"}, "add ADDRESS…", owners, addresses(1, 20), (*session).add},
		{"remove", []string{"del", "delete", "unsubscribe", "削除"}, "remove ADDRESS…", owners, addresses(1, 20), (*session).remove},
		{"invite", []string{"招待"}, "invite ADDRESS…", owners, addresses(1, 20), (*session).invite},
		{"setmember", []string{"set", "会員設定"}, "setmember ADDRESS show | moderation accept|hold|reject|discard|default | (as in set)", owners, memberSetting, (*session).setMember},
		{"pending", []string{"modindex", "保留"}, "pending", moderators, upTo(0), (*session).pending},
		{"accept", []string{"approve", "distribute", "承認", "許可"}, "accept ID|ADDRESS…", moderators, things, (*session).decide},
		{"reject", []string{"却下", "拒否"}, "reject ID|ADDRESS [REASON]", moderators, thingAndWords, (*session).decide},
		{"discard", []string{"破棄"}, "discard ID|ADDRESS…", moderators, things, (*session).decide},
		{"trust", []string{"信頼"}, "trust ID…", moderators, things, (*session).decide},
		{"ban", []string{"禁止"}, "ban ID…", moderators, things, (*session).decide},
		{"hide", []string{"非表示"}, "hide MESSAGE [REASON]", moderators, messageAndWords, (*session).edit},
		{"unhide", []string{"再表示"}, "unhide MESSAGE [REASON]", moderators, messageAndWords, (*session).edit},
		{"split", []string{"分離"}, "split MESSAGE [REASON]", moderators, messageAndWords, (*session).edit},
		{"merge", []string{"接続", "結合"}, "merge MESSAGE TO [REASON]", moderators, messagesAndWords, (*session).edit},
	}
}

// japanese is the Japanese names of a command, for the help text in Japanese.
func (e entry) japanese(lang string) string {
	if lang != "ja" {
		return ""
	}
	var names []string
	for _, a := range e.aliases {
		if a[0] >= utf8.RuneSelf {
			names = append(names, a)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "  （" + strings.Join(names, "、") + "）"
}

// find returns the command of that name, or else the first that has it as another name.
func find(name string) (entry, bool) {
	t := table()
	i := slices.IndexFunc(t, func(e entry) bool { return e.name == name })
	if i < 0 {
		i = slices.IndexFunc(t, func(e entry) bool { return slices.Contains(e.aliases, name) })
	}
	if i < 0 {
		return entry{}, false
	}
	return t[i], true
}

func upTo(n int) func([]string) bool {
	return func(args []string) bool { return len(args) <= n }
}

func isAddress(word string) bool { return strings.Contains(word, "@") }

func noAddress(n int) func([]string) bool {
	return func(args []string) bool { return len(args) <= n && !slices.ContainsFunc(args, isAddress) }
}

func addresses(from, to int) func([]string) bool {
	return func(args []string) bool {
		return len(args) >= from && len(args) <= to && !slices.ContainsFunc(args, func(a string) bool { return !isAddress(a) })
	}
}

func isToken(args []string) bool {
	return len(args) == 1 && len(args[0]) == 32 && strings.Trim(strings.ToLower(args[0]), "0123456789abcdef") == ""
}

func setting(args []string) bool {
	return len(args) >= 1 && len(args) <= 6 && !isAddress(args[0])
}

func memberSetting(args []string) bool {
	return len(args) >= 2 && len(args) <= 7 && isAddress(args[0])
}

// isThing reports whether a word names what waits: a held post, or the address of who wants to join or leave.
func isThing(word string) bool {
	return isAddress(word) || len(word) == 16 && strings.Trim(word, "0123456789abcdefghijklmnopqrstuvwxyz") == "" && word[0] == '0'
}

func things(args []string) bool {
	return len(args) >= 1 && len(args) <= 20 && !slices.ContainsFunc(args, func(a string) bool { return !isThing(a) })
}

func thingAndWords(args []string) bool { return len(args) >= 1 && isThing(args[0]) }

// namesMessage reports whether a word names a message: its post number, its Message-ID, or its address in the web.
func namesMessage(word string) bool {
	return strings.Trim(word, "0123456789") == "" || isAddress(word) || strings.Contains(word, "://")
}

func isMessage(args []string) bool { return len(args) == 1 && namesMessage(args[0]) }

func messagesAndWords(args []string) bool {
	return len(args) >= 2 && namesMessage(args[0]) && namesMessage(args[1])
}

func messageAndWords(args []string) bool { return len(args) >= 1 && namesMessage(args[0]) }

// numbers are "5", "5-9", "last:5", several of them with commas, "thread 5".
func numbers(args []string) bool {
	if len(args) == 2 && strings.EqualFold(args[0], "thread") {
		args = args[1:]
	}
	if len(args) != 1 {
		return false
	}
	for span := range strings.SplitSeq(strings.ToLower(args[0]), ",") {
		if rest := strings.TrimPrefix(span, "last:"); rest == "" || len(rest) > 21 || strings.Trim(rest, "0123456789-") != "" {
			return false
		}
	}
	return true
}

// month is nothing or "2026-01".
func month(args []string) bool {
	return len(args) == 0 || len(args) == 1 && len(args[0]) == 7 && strings.Trim(args[0], "0123456789-") == ""
}
