package dsn

// place is where the mark of a form stands.
type place int

const (
	inBody    place = iota // the text before the returned message
	inSubject              // the subject
	inHeader               // a header field of that name is there
)

// format is a row of the table of forms that are told by a mark.
type format struct {
	name  string
	kind  Kind
	where place
	marks []string // folded; for inHeader, names of fields
	why   string
}

// formats is searched from the top. A mark in the body or subject counts only in mail that a machine seems to
// have written (see isReport), so that a person who quotes a bounce is not taken for one.
var formats = []format{
	{"delayed", Delayed, inSubject, []string{"delivery delayed", "delayed mail", "delivery status notification (delay", "warning: could not send", "warning: message ", "message delayed", "delivery delay", "mail delivery delayed", "temporarily unable to deliver", "still being retried", "delivery incomplete", "配信遅延", "配送遅延"}, "a report of delay says so in its subject with most hosts"},
	{"delayed", Delayed, inBody, []string{"this is a warning message only", "you do not need to resend", "not required to do anything", "no action is required on your part", "has not yet been delivered", "not been delivered yet", "will be retried", "will continue to try", "will keep trying", "will continue trying", "still trying to deliver", "delivery attempts will continue", "this is just a warning", "this is only a warning", "gmail will retry", "is still in the queue", "still in queue", "再送信を試み", "配送を継続"}, "sendmail, Exim, Postfix, Gmail and others promise to go on"},

	{"qmail", Bounce, inBody, []string{"this is the qmail-send program at", "i wasn't able to deliver your message to the following addresses", "i'm afraid i wasn't able to deliver"}, "QSBMF, RFC-less since 1996; still at many Japanese hosts"},
	{"exim", Bounce, inHeader, []string{"x-failed-recipients"}, "Exim, and Gmail before 2015"},
	{"exim", Bounce, inBody, []string{"this message was created automatically by mail delivery software", "a message that you sent could not be delivered to", "a message that you sent contained"}, "Exim's words"},
	{"postfix", Bounce, inBody, []string{"this is the mail system at host", "this is the postfix program at host", "this is the postfix mail system at", "the mail system <@>"}, "Postfix new and old where the report's parts are lost"},
	{"sendmail", Bounce, inBody, []string{"addresses had permanent fatal errors", "transcript of session follows", "addresses had delivery problems", "addresses had transient non-fatal errors", "addresses have delivery notifications", "failed addresses follow"}, "sendmail, its ancestors, and BIGLOBE"},
	{"exchange", Bounce, inBody, []string{"did not reach the following recipient", "your message did not reach some or all", "delivery has failed to these recipients", "your message wasn't delivered to anyone", "couldn't deliver to the following recipients", "the following recipient(s) could not be reached", "the following recipient(s) cannot be reached", "diagnostic information for administrators", "your message couldn't be delivered", "your message to ... couldn't be delivered", "次の受信者またはグループへの配信に失敗", "次の受信者に配信できませんでした", "配信できませんでした"}, "Exchange 5.5 to Online, English and Japanese"},
	{"notes", Bounce, inBody, []string{"failure reasons", "not listed in domino directory", "was not delivered to: ... because"}, "Lotus Notes and Domino, the reason often in Japanese"},
	{"gmail", Bounce, inBody, []string{"delivery to the following recipient failed permanently", "delivery to the following recipients failed permanently", "your message wasn't delivered to", "message not delivered", "message blocked", "there was a problem delivering your message", "your message to ... was blocked", "メールは配信されませんでした", "アドレス不明", "に配信できませんでした"}, "Gmail old and new, English and Japanese"},
	{"yahoo", Bounce, inBody, []string{"unable to deliver your message to the following address", "unable to deliver message to the following address", "this is an automatically generated message from yahoo", "message from yahoo"}, "Yahoo, Yahoo! JAPAN"},
	{"au", Bounce, inBody, []string{"each of the following recipients was rejected by a remote", "the user(s) account is temporarily over quota", "the user(s) account is disabled", "could not be delivered to: ... as their mailbox", "could not be delivered to:", "the following recipients did not receive", "the recipient may not have"}, "au (ezweb.ne.jp), au one net, KDDI"},
	{"japanese", Bounce, inBody, []string{"宛先不明", "あて先不明", "送信できませんでした", "配信できません", "配送できません", "配達できません", "送信に失敗しました", "配送に失敗", "配信に失敗", "エラーメール", "送達できません", "お届けできません", "届きませんでした", "メールは送信されません"}, "docomo, SoftBank, nifty, BIGLOBE, OCN, So-net, m-FILTER and hosts like theirs, after decoding ISO-2022-JP"},
	{"courier", Bounce, inBody, []string{"this is a delivery status notification from", "undeliverable mail: the original", "your mail message could not be delivered"}, "Courier"},
	{"opensmtpd", Bounce, inBody, []string{"this is the mailer-daemon, please do not reply"}, "OpenSMTPD"},
	{"dragonfly", Bounce, inBody, []string{"this is the dragonfly mail agent"}, "DragonFly Mail Agent"},
	{"zoho", Bounce, inBody, []string{"this message was created automatically by mail delivery"}, "Zoho"},
	{"james", Bounce, inBody, []string{"this message generated by", "the error message below results from a failed attempt", "error message below"}, "Apache James"},
	{"imail", Bounce, inBody, []string{"undeliverable to ", "body of message generated response", "unknown user: @", "invalid final delivery user", "user mailbox exceeds"}, "IMail and SMTP32"},
	{"gateway", Bounce, inBody, []string{"could not be delivered", "couldn't be delivered", "cannot be delivered", "unable to deliver", "was not delivered", "not delivered to", "delivery failed", "undeliverable", "undelivered", "delivery failure", "delivery to the following", "failed recipient", "permanent error", "permanent failure", "trouble delivering", "message rejected", "has been rejected", "was rejected", "returned to sender", "returned to you", "delivery error", "failed to deliver", "unable to be delivered", "can't be delivered", "not deliverable", "nondeliverable", "non-deliverable", "were not reached", "could not deliver", "cannot deliver", "did not receive", "could not be sent", "recipient not found", "no such user", "user unknown", "unknown user", "has been blocked", "was blocked", "error sending", "impossible to deliver", "kann nicht zugestellt", "nicht zugestellt", "konnte nicht", "n'a pas pu", "non remis", "недоставлен", "не может быть доставлено", "не доставлено", "無法投遞", "退信", "退回"}, "gateways and hosts that nobody counted"},

	{"subject", Bounce, inSubject, []string{"undeliver", "undelivered", "delivery status notification", "delivery failure", "delivery failed", "delivery error", "delivery problem", "delivery report", "delivery notification", "mail delivery failed", "mail delivery system", "delivery has failed", "failure notice", "failure delivery", "returned mail", "returned message", "return to sender", "mail system error", "message status - undeliverable", "could not send", "could not be delivered", "not delivered", "non-delivery", "nondelivery", "non delivery", "message not sent", "mail error", "rejected mail", "mail failure", "bounced mail", "permanent error", "error sending", "dsn:", "failed mail", "failed delivery", "unable to deliver", "unzustellbar", "nicht zugestellt", "message you sent blocked", "your message was blocked", "user unknown", "unknown user", "returned to sender", "メールエラー", "送信エラー", "配信エラー", "配送エラー", "配信不能", "配送不能", "送信失敗", "配信失敗", "配達不能", "エラー通知", "不達", "配信できません", "недоставлен", "退信"}, "subjects of bounces whose text says nothing known"},
}

// vacations are the forms of answers that machines write for people.
var vacations = []format{
	{"vacation", Vacation, inSubject, []string{"out of office", "out of the office", "out-of-office", "automatic reply", "auto reply", "autoreply", "auto-reply", "auto response", "auto-response", "autoresponse", "automated response", "automated reply", "auto:", "on vacation", "vacation", "away from", "i am away", "on holiday", "on leave", "abwesenheit", "abwesend", "automatische antwort", "absence", "réponse automatique", "respuesta automática", "自動応答", "自動返信", "自動送信", "不在", "休暇", "夏季休業", "外出"}, "subjects of vacation programs in several languages"},
	{"vacation", Vacation, inHeader, []string{"x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply", "x-vacation"}, "fields that responders add"},
}

// originals are what hosts write above the returned message; they are looked for at the start of a line,
// after blanks and ruling.
var originals = []string{
	"original message", "below this line is a copy", "below the dotted line", "this is a copy of", "returned message", "here is a copy", "below is a copy", "header of the original", "headers of the original",
	"message header follows", "message headers follow", "unsent message", "undelivered message follow", "undeliverable message follow", "message follows", "message text follows", "message returned", "copy of the message", "original headers", "headers of the message", "body of message generated response",
	"forwarded message", "begin message", "included is a copy", "enclosed is a copy", "start of returned message", "元のメッセージ", "元のメール", "原文", "original mail", "returned mail follows", "text of your message", "rejected message",
}
