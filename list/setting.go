package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kairan/templates"
)

// Kind is what the value of a setting looks like to who fills in a form.
type Kind string

const (
	KindSwitch  Kind = "switch"  // true or false
	KindNumber  Kind = "number"  // whole, not negative
	KindDecimal Kind = "decimal" // not negative
	KindWord    Kind = "word"    // one of Options
	KindWords   Kind = "words"   // any of Options
	KindLine    Kind = "line"    // a line of text
	KindLines   Kind = "lines"   // a list, an entry a line
	KindText    Kind = "text"    // several lines of text
	KindTexts   Kind = "texts"   // a text for each language
	KindHeaders Kind = "headers" // rows of header_matches, each "ACTION Header pattern"
	KindSaved   Kind = "saved"   // texts by name, for each language
)

// Setting describes a field of [Settings] to who fills in a form. Its words are in templates/locale: "setting.NAME", "setting.NAME.help".
type Setting struct {
	Name    string // in TOML and JSON
	Group   string // what it is about: the key "settings.group.GROUP"
	Kind    Kind
	Options []string // of KindWord and KindWords
	Example string   // of what can be written, the same in every language; "" for none
}

var (
	actions  = []string{"accept", "hold", "reject", "discard"}
	policies = []string{"open", "confirm", "moderate", "confirm_then_moderate"}
)

// AllSettings are the fields of Settings in the order in which a form shows them.
func AllSettings() []Setting { return slices.Clone(settingTable) }

var settingTable = []Setting{
	{"display_name", "about", KindLine, nil, "JANOG"},
	{"description", "about", KindTexts, nil, ""},
	{"preferred_language", "about", KindWord, templates.Languages(), ""},
	{"advertised", "about", KindSwitch, nil, ""},
	{"notice_charset", "about", KindWord, []string{UTF8, ISO2022JP}, ""},
	{"list_id", "about", KindLine, nil, "janog.lists.example.jp"},

	{"emergency", "posting", KindSwitch, nil, ""},
	{"allow_list_posts", "posting", KindSwitch, nil, ""},
	{"default_member_action", "posting", KindWord, actions, ""},
	{"default_nonmember_action", "posting", KindWord, actions, ""},
	{"accept_these_nonmembers", "posting", KindLines, nil, "ann@example.jp\n^.*@example\\.com$\n@wg-dns@lists.example.jp"},
	{"hold_these_nonmembers", "posting", KindLines, nil, ""},
	{"reject_these_nonmembers", "posting", KindLines, nil, ""},
	{"discard_these_nonmembers", "posting", KindLines, nil, ""},
	{"ban_list", "posting", KindLines, nil, "mallory@example.com\n^.*@spam\\.example$"},
	{"unauthenticated_action", "posting", KindWord, []string{"hold", "reject", "discard"}, ""},
	{"unauthenticated_exempt", "posting", KindLines, nil, "cron@example.jp\nexample.jp"},

	{"max_message_size", "checks", KindNumber, nil, "1024"},
	{"max_num_recipients", "checks", KindNumber, nil, "10"},
	{"require_subject", "checks", KindSwitch, nil, ""},
	{"require_explicit_destination", "checks", KindSwitch, nil, ""},
	{"acceptable_aliases", "checks", KindLines, nil, "old-name@example.jp"},
	{"administrivia", "checks", KindSwitch, nil, ""},
	{"header_matches", "checks", KindHeaders, nil, "hold Subject ^\\[spam\\]\ndiscard X-Spam-Flag ^yes"},

	{"subject_prefix", "copies", KindLine, nil, "[janog:%05d] "},
	{"reply_goes_to_list", "copies", KindWord, []string{"none", "list", "explicit"}, ""},
	{"reply_to_address", "copies", KindLine, nil, "janog@lists.example.jp"},
	{"msg_header", "copies", KindText, nil, ""},
	{"msg_footer", "copies", KindText, nil, "-- \n{list} {url}"},
	{"undo_seconds", "copies", KindNumber, nil, "60"},
	{"anonymous_list", "copies", KindSwitch, nil, ""},
	{"include_ml_headers", "copies", KindSwitch, nil, ""},
	{"personal_unsubscribe", "copies", KindSwitch, nil, ""},
	{"shared_copies", "copies", KindWords, withoutOneClick(), ""},

	{"subscription_policy", "membership", KindWord, policies, ""},
	{"code_of_conduct", "membership", KindTexts, nil, ""},
	{"subscribe_auto_approval", "membership", KindLines, nil, "example.jp\n@janog@lists.example.jp"},
	{"unsubscription_policy", "membership", KindWord, policies, ""},
	{"send_welcome_message", "membership", KindSwitch, nil, ""},
	{"welcome_msg", "membership", KindTexts, nil, ""},
	{"send_goodbye_message", "membership", KindSwitch, nil, ""},
	{"goodbye_msg", "membership", KindTexts, nil, ""},
	{"admin_notify_mchanges", "membership", KindSwitch, nil, ""},
	{"member_roster_visibility", "membership", KindWord, []string{RosterPublic, RosterMembers, RosterModerators}, ""},

	{"admin_immed_notify", "moderation", KindSwitch, nil, ""},
	{"respond_to_post_requests", "moderation", KindSwitch, nil, ""},
	{"ask_author", "moderation", KindSwitch, nil, ""},
	{"max_days_to_hold", "moderation", KindNumber, nil, "14"},
	{"max_held", "moderation", KindNumber, nil, "200"},
	{"max_held_per_sender", "moderation", KindNumber, nil, "10"},
	{"reject_texts", "moderation", KindSaved, nil, ""},

	{"process_bounces", "bounces", KindSwitch, nil, ""},
	{"bounce_score_threshold", "bounces", KindDecimal, nil, "5"},
	{"bounce_info_stale_after", "bounces", KindNumber, nil, "7"},
	{"bounce_send_probes", "bounces", KindSwitch, nil, ""},
	{"bounce_you_are_disabled_warnings", "bounces", KindNumber, nil, "3"},
	{"bounce_you_are_disabled_warnings_interval", "bounces", KindNumber, nil, "7"},
	{"bounce_notify_owner_on_bounce_increment", "bounces", KindSwitch, nil, ""},
	{"bounce_notify_owner_on_disable", "bounces", KindSwitch, nil, ""},
	{"bounce_notify_owner_on_removal", "bounces", KindSwitch, nil, ""},

	{"digests_enabled", "digests", KindSwitch, nil, ""},
	{"digest_send_periodic", "digests", KindSwitch, nil, ""},
	{"digest_size_threshold", "digests", KindNumber, nil, "30"},
	{"digest_volume_frequency", "digests", KindWord, []string{VolumeYearly, VolumeQuarterly, VolumeMonthly, VolumeWeekly, VolumeDaily}, ""},

	{"archive_policy", "archive", KindWord, []string{ArchivePublic, ArchivePrivate, ArchiveOwners, ArchiveNever}, ""},
	{"withdraw_hours", "archive", KindNumber, nil, "72"},
	{"noindex", "archive", KindSwitch, nil, ""},

	{string(QuotaMembers), groupQuotas, KindNumber, nil, "500"},
	{string(QuotaPosts), groupQuotas, KindNumber, nil, "100"},
	{string(QuotaArchive), groupQuotas, KindNumber, nil, "2048"},
}

const groupQuotas = "quotas"

// AdminOnly reports whether only the site's administrator changes the setting. Owners see it.
func (d Setting) AdminOnly() bool { return d.Group == groupQuotas }

// AdminOnly returns an error for each change that is for the site's administrator to make.
func AdminOnly(changes []SettingChange) error {
	var errs []error
	for _, d := range AllSettings() {
		if d.AdminOnly() && slices.ContainsFunc(changes, func(c SettingChange) bool { return c.Name == d.Name }) {
			errs = append(errs, fmt.Errorf("%w: %w", ErrAdminOnly, templates.NewFault(d.Name, "admin-only")))
		}
	}
	return errors.Join(errs...)
}

// Values returns the settings by name, in JSON; a value that is left out there is null.
func (s *Settings) Values() (map[string]json.RawMessage, error) {
	m, err := fields(s)
	if err != nil {
		return nil, err
	}
	for _, d := range AllSettings() {
		m[d.Name] = value(m, d.Name)
	}
	return m, nil
}

// With returns the settings with some values, in JSON, in place of those they have. It does not check them.
func (s *Settings) With(values map[string]json.RawMessage) (Settings, error) {
	m, err := fields(s)
	if err != nil {
		return Settings{}, err
	}
	for name, v := range values {
		if !slices.ContainsFunc(AllSettings(), func(d Setting) bool { return d.Name == name }) {
			return Settings{}, fmt.Errorf("there is no setting %q", name)
		}
		m[name] = v
	}
	return settingsOf(m)
}

// Parse reads what a form says about the setting, as JSON. get returns the fields of a name: that of the setting, and for what
// consists of parts the parts' as well ("description.ja", "reject_texts.0.name", "reject_texts.0.ja", …).
func (d Setting) Parse(get func(field string) []string) (json.RawMessage, error) {
	one := func(field string) string {
		if v := get(field); len(v) > 0 {
			return strings.ReplaceAll(v[0], "\r\n", "\n")
		}
		return ""
	}
	text := one(d.Name)
	switch d.Kind {
	case KindSwitch:
		return json.Marshal(text != "")
	case KindNumber:
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
		if err != nil {
			return nil, templates.NewFault(d.Name, "whole-number", "value", text)
		}
		return json.Marshal(n)
	case KindDecimal:
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(n >= 0 && n <= 1e9) {
			return nil, templates.NewFault(d.Name, "number", "value", text)
		}
		return json.Marshal(n)
	case KindWords:
		return json.Marshal(get(d.Name))
	case KindLines:
		return json.Marshal(lines(text))
	case KindTexts:
		return json.Marshal(texts(one, d.Name+"."))
	case KindHeaders:
		return d.parseHeaders(lines(text))
	case KindSaved:
		return d.parseSaved(one)
	}
	return json.Marshal(text)
}

// lines are the lines of a text that say something.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

func texts(one func(string) string, prefix string) Text {
	t := Text{}
	for _, lang := range templates.Languages() {
		if text := strings.TrimSpace(one(prefix + lang)); text != "" {
			t[lang] = text
		}
	}
	return t
}

func (d Setting) parseHeaders(rows []string) (json.RawMessage, error) {
	var all []HeaderMatch
	for _, row := range rows {
		f := strings.Fields(row)
		if len(f) < 3 {
			return nil, templates.NewFault(d.Name, "header-row", "value", row)
		}
		rest := strings.TrimSpace(strings.TrimPrefix(row, f[0]))
		all = append(all, HeaderMatch{Action: Action(f[0]), Header: strings.TrimSuffix(f[1], ":"), Pattern: strings.TrimSpace(strings.TrimPrefix(rest, f[1]))})
	}
	return json.Marshal(all)
}

// String writes the row as a form has it.
func (h HeaderMatch) String() string { return fmt.Sprintf("%s %s %s", h.Action, h.Header, h.Pattern) }

func (d Setting) parseSaved(one func(string) string) (json.RawMessage, error) {
	all := map[string]Text{}
	for i := range maxRejectTexts + 1 {
		prefix := fmt.Sprintf("%s.%d.", d.Name, i)
		name, t := strings.TrimSpace(one(prefix+"name")), texts(one, prefix)
		if len(t) == 0 {
			continue // a name without a text takes the text away
		}
		if _, twice := all[name]; twice {
			return nil, templates.NewFault(d.Name, "two-texts", "name", name)
		}
		all[name] = t
	}
	return json.Marshal(all)
}
