package rules

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"kairan/list"
	"kairan/smtpd/message"
)

// Bounds of a mail that may be a command: what its author wrote, without quotes and signature.
const (
	maxCommandLines = 6
	maxCommandRunes = 240
)

// commandLine matches a whole line, folded, that means a command to the list's robot.
// The Japanese half stands for 退会, 退会希望, 退会します, 登録をお願いします and the like.
var commandLine = regexp.MustCompile(`^(?:` +
	`(?:please )?(?:un|re)?subscribe(?: me)?(?: please)?(?: \S+){0,2}|` +
	`(?:please )?(?:remove|delete|unsubscribe|sign ?off) me(?: from (?:this|the|your)(?: mailing)? list)?(?: please)?|` +
	`signoff(?: \S+)?|leave|join|remove|help|info|which|who|lists|` +
	`confirm [0-9a-z]{8,}|set (?:mail|nomail|digest|ack|delivery|noack|hide)(?: \S+)?|` +
	`(?:(?:メーリングリスト|ml|メルマガ)(?:の|を|から|への)?)?` +
	`(?:退会|脱会|入会|登録|解除|登録解除|配信停止|配信解除|配信中止|購読|購読解除|購読停止|購読中止|参加|脱退)` +
	`(?:手続き|処理|申請|申込み?|申し込み)?(?:を|の)?` +
	`(?:希望(?:します|いたします|です)?|依頼|申請|手続き|します|いたします|です|したい(?:です)?|お願い(?:します|いたします|致します)?|願います|してください|して下さい)?` +
	`)[.!。、!]*$`)

// digestReply looks for an answer to a whole digest: its subject says nothing, and often all of the digest is quoted.
func digestReply(q *question) (list.Action, string) {
	if !q.f.DigestReply {
		return "", ""
	}
	return list.Hold, q.f.Subject
}

// administrivia looks for a command in the Subject and in the first lines of mail that has only a few.
func administrivia(q *question) (list.Action, string) {
	if !q.l.Settings.Administrivia {
		return "", ""
	}
	lines, short := written(q.f.Excerpt)
	if !short {
		return "", ""
	}
	base, reply := message.BaseSubject(q.f.Subject)
	if !reply {
		lines = append(lines, base)
	}
	for _, line := range lines {
		if line = fold(line); commandLine.MatchString(strings.Join(strings.Fields(line), " ")) {
			return list.Hold, line
		}
	}
	return "", ""
}

// written returns the lines the author wrote, and whether they are few enough to be a command.
func written(text string) (lines []string, short bool) {
	runes := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "-- " || line == "--" {
			break
		}
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, ">") {
			continue
		}
		runes += utf8.RuneCountInString(line)
		lines = append(lines, line)
		if len(lines) > maxCommandLines || runes > maxCommandRunes {
			return nil, false
		}
	}
	return lines, true
}
