package command

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kairan/list"
	"kairan/templates"
)

// maxName bounds a display name in characters.
const maxName = 100

// option is something that a member may set.
type option struct {
	name   string
	values []string
	set    func(m *list.Member, on bool)
	get    func(m *list.Member) bool
}

// switches are the options that are on or off.
var switches = []option{
	{name: "myposts", set: func(m *list.Member, on bool) { m.NoOwnPosts = !on }, get: func(m *list.Member) bool { return !m.NoOwnPosts }},
	{name: "duplicates", set: func(m *list.Member, on bool) { m.NoDuplicates = !on }, get: func(m *list.Member) bool { return !m.NoDuplicates }},
	{name: "ack", set: func(m *list.Member, on bool) { m.AcknowledgePosts = on }, get: func(m *list.Member) bool { return m.AcknowledgePosts }},
	{name: "receipt", set: func(m *list.Member, on bool) { m.DeliveryReceipt = on }, get: func(m *list.Member) bool { return m.DeliveryReceipt }},
	{name: "hide", set: func(m *list.Member, on bool) { m.Hide = on }, get: func(m *list.Member) bool { return m.Hide }},
}

// otherWords are the same in the words of Sympa.
var otherWords = map[string][]string{
	"mail": {"delivery", "on"}, "nomail": {"delivery", "off"},
	"conceal": {"hide", "on"}, "noconceal": {"hide", "off"},
	"not_me": {"myposts", "off"}, "noack": {"ack", "off"}, "noacknowledge": {"ack", "off"},
	"vacation": {"delivery", "off"}, "postpone": {"delivery", "off"}, "休暇": {"delivery", "off"}, "配信停止": {"delivery", "off"},
	"matome": {"digest"}, "まとめ送り": {"digest"}, "まとめ配信": {"digest"}, "ダイジェスト": {"digest"}, "digestplain": {"digest", "plain"},
	"配信": {"delivery"}, "言語": {"language"}, "名前": {"name"}, "表示": {"show"},
}

// digestWords are the words behind "digest" and what they mean. "on" is the form that every mail program shows.
var digestWords = map[string]list.DeliveryMode{
	"mime": list.DeliveryMIMEDigests,
	"":     list.DeliveryPlaintextDigests, "on": list.DeliveryPlaintextDigests, "plain": list.DeliveryPlaintextDigests, "text": list.DeliveryPlaintextDigests,
	"する": list.DeliveryPlaintextDigests, "オン": list.DeliveryPlaintextDigests, "テキスト": list.DeliveryPlaintextDigests,
	"off": list.DeliveryRegular, "no": list.DeliveryRegular, "0": list.DeliveryRegular,
	"しない": list.DeliveryRegular, "オフ": list.DeliveryRegular, "やめる": list.DeliveryRegular, "不要": list.DeliveryRegular, "解除": list.DeliveryRegular,
}

// digestNames are what set show says of the modes.
var digestNames = map[list.DeliveryMode]string{list.DeliveryRegular: "off", list.DeliveryMIMEDigests: "mime", list.DeliveryPlaintextDigests: "plain"}

func (s *session) set(c Command) error {
	s.change(s.member, c.Args, list.DeliveryByUser)
	return s.keep(s.member)
}

func (s *session) on(Command) error {
	s.change(s.member, []string{"delivery", "on"}, list.DeliveryByUser)
	return s.keep(s.member)
}

func (s *session) off(c Command) error {
	s.change(s.member, append([]string{"delivery", "off"}, c.Args...), list.DeliveryByUser)
	return s.keep(s.member)
}

func (s *session) digest(c Command) error {
	s.change(s.member, append([]string{"digest"}, c.Args...), list.DeliveryByUser)
	return s.keep(s.member)
}

// change sets one option of a member as the words say, or tells what is wrong with them. by is who switches delivery.
func (s *session) change(m *list.Member, words []string, by list.DeliveryStatus) {
	first := strings.ToLower(words[0])
	sympa := first
	if same, ok := otherWords[first]; ok {
		words = slices.Concat(same, words[1:])
		first = words[0]
	}
	rest := strings.ToLower(strings.Join(words[1:], " "))
	on, isSwitch := rest == "on", rest == "on" || rest == "off"
	switch {
	case first == "show" && rest == "":
	case first == "delivery" && isDelivery(words[1:]):
		if !s.deliver(m, words[1:], by) {
			return
		}
		if sympa == "mail" { // there it also ends digests
			m.DeliveryMode = list.DeliveryRegular
		}
	case first == "language" && slices.Contains(templates.Languages(), rest):
		m.Language = rest
		if by == list.DeliveryByUser {
			s.lang = rest
		}
	case first == "name" && rest != "":
		m.DisplayName = clip(strings.Join(words[1:], " "))
	case first == "digest" && isDigest(words[1:]):
		mode := digestWords[rest]
		if mode != list.DeliveryRegular && !s.List.Settings.DigestsEnabled {
			s.say(s.T(s.lang, "commands.no-digests"))
			return
		}
		m.DeliveryMode = mode
	case first == "moderation" && by == list.DeliveryByModerator && slices.Contains([]string{"accept", "hold", "reject", "discard", "default"}, rest):
		if m.ModerationAction = list.Action(rest); rest == "default" {
			m.ModerationAction = ""
		}
	default:
		i := slices.IndexFunc(switches, func(o option) bool { return o.name == first })
		if i < 0 || !isSwitch {
			e, _ := find("set")
			s.say(s.T(s.lang, "commands.usage", "usage", e.usage))
			return
		}
		switches[i].set(m, on)
	}
	s.show(m, first)
}

// isDigest reports whether words say what kind of digest is wanted.
func isDigest(words []string) bool {
	if len(words) > 1 {
		return false
	}
	_, ok := digestWords[strings.ToLower(strings.Join(words, " "))]
	return ok
}

// isDelivery reports whether words are "on", "off", or "off" with a day.
func isDelivery(words []string) bool {
	if len(words) == 0 {
		return false
	}
	first := strings.ToLower(words[0])
	return first == "off" && looksLikeUntil(words[1:]) || first == "on" && len(words) == 1
}

// deliver switches delivery. What the moderators have switched off only they switch on.
func (s *session) deliver(m *list.Member, words []string, by list.DeliveryStatus) bool {
	if m.DeliveryStatus == list.DeliveryByModerator && by == list.DeliveryByUser {
		s.say(s.T(s.lang, "commands.by-moderator", "owner", s.List.Suffixed("owner")))
		return false
	}
	if strings.EqualFold(words[0], "on") {
		m.DeliveryStatus, m.OffUntil = list.DeliveryEnabled, time.Time{}
		return true
	}
	var back time.Time
	if len(words) > 1 {
		var ok bool
		now := s.Now.In(s.Workflow.Site.Location)
		if back, ok = until(words[1:], now); !ok || !back.After(now) || back.Sub(now) > maxOff {
			s.say(s.T(s.lang, "commands.bad-day", "day", strings.Join(words[1:], " ")))
			return false
		}
	}
	m.DeliveryStatus, m.OffUntil = by, back
	return true
}

// show says a member's options, or only the one of that name, in the words that set them.
func (s *session) show(m *list.Member, only string) {
	onOff := map[bool]string{true: "on", false: "off"}
	line := func(name, value string) {
		if value != "" && (only == name || only == "show") {
			s.say(name + strings.Repeat(" ", 12-len(name)) + value)
		}
	}
	line("address", m.Address.String())
	delivery := onOff[m.Receives(s.Now)]
	if delivery == "off" && !m.OffUntil.IsZero() {
		delivery += " until " + m.OffUntil.In(s.Workflow.Site.Location).Format(time.DateOnly)
	}
	line("delivery", delivery)
	line("digest", digestNames[m.Mode()])
	for _, o := range switches {
		line(o.name, onOff[o.get(m)])
	}
	line("language", s.List.LanguageOf(m))
	line("name", m.DisplayName)
	if s.obeyed {
		line("moderation", cmp.Or(string(m.ModerationAction), "default"))
	}
}

func clip(name string) string {
	for utf8.RuneCountInString(name) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}
