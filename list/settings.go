package list

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kairan/smtpd/address"
	"kairan/smtpd/queue"
	"kairan/templates"
)

// Text is a text in several languages, by language code ("ja", "en").
type Text map[string]string

// In returns the text in lang, else in any language there is.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	for _, other := range append([]string{templates.LastResort}, templates.Languages()...) {
		if s := t[other]; s != "" {
			return s
		}
	}
	return ""
}

// UnmarshalTOML adds texts to those there are; "" takes one away.
func (t *Text) UnmarshalTOML(v any) error {
	texts, ok := v.(map[string]any)
	if !ok {
		return errors.New(`give a text for each language: description.en = "…"`)
	}
	if *t == nil {
		*t = Text{}
	}
	for lang, v := range texts {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("%s = %v is no text", lang, v)
		}
		if err := templates.CheckLanguage(lang); err != nil {
			return err
		}
		if (*t)[lang] = s; s == "" {
			delete(*t, lang)
		}
	}
	return nil
}

// Settings are what an owner may change, in Mailman's words. Names in TOML and JSON are for ever.
// The comment of each field is its help text.
type Settings struct {
	// The list's name as people write it; used in "Name via List" and on pages.
	DisplayName string `json:"display_name" toml:"display_name"`
	// One line that says what the list is for.
	Description Text `json:"description,omitempty" toml:"description"`
	// The list's own language for pages and mails: "ja" or "en".
	PreferredLanguage string `json:"preferred_language" toml:"preferred_language"`
	// Whether the list is shown on the site's front page.
	Advertised bool `json:"advertised" toml:"advertised"`
	// List-Id without "<>"; empty makes it from the address. Set by a rename, so that filters of members keep working.
	ListID string `json:"list_id,omitempty" toml:"list_id"`

	// Put before the Subject; %d is the post number, %05d with leading zeros. Empty leaves the Subject alone.
	SubjectPrefix string `json:"subject_prefix" toml:"subject_prefix"`
	// Where replies go: "none" leaves Reply-To alone, "list", or "explicit" for reply_to_address.
	ReplyGoesToList string `json:"reply_goes_to_list" toml:"reply_goes_to_list"`
	// The Reply-To of "explicit".
	ReplyToAddress string `json:"reply_to_address,omitempty" toml:"reply_to_address"`
	// For how many seconds an accepted post waits before it goes out, so that its author can take it back; 0 is not at all, 600 is the most.
	UndoSeconds int `json:"undo_seconds" toml:"undo_seconds"`
	// Text put above and below each post. {list}, {address}, {url} and {number} are filled in.
	MsgHeader string `json:"msg_header,omitempty" toml:"msg_header"`
	MsgFooter string `json:"msg_footer,omitempty" toml:"msg_footer"`
	// Posts carry the list's address instead of the author's, in the archive too.
	AnonymousList bool `json:"anonymous_list" toml:"anonymous_list"`
	// Add X-ML-Name, X-Mail-Count and X-Sequence, which mail filters in Japan look at.
	IncludeMLHeaders bool `json:"include_ml_headers" toml:"include_ml_headers"`
	// Each copy names its own one-click unsubscribe link. Switched off, all copies share one signature and the link asks for the address.
	PersonalUnsubscribe bool `json:"personal_unsubscribe" toml:"personal_unsubscribe"`
	// Providers whose readers offer no one-click unsubscription: docomo, au, softbank. Members there share one copy and one signature, as all do when personal_unsubscribe is off.
	SharedCopies []string `json:"shared_copies,omitempty" toml:"shared_copies"`

	// Who may post. allow_list_posts switched off makes an announcement list: only owners, moderators and accept_these_nonmembers post.
	AllowListPosts bool `json:"allow_list_posts" toml:"allow_list_posts"`
	// What happens to a post of a member, and of somebody else: accept, hold, reject or discard.
	DefaultMemberAction    Action `json:"default_member_action" toml:"default_member_action"`
	DefaultNonmemberAction Action `json:"default_nonmember_action" toml:"default_nonmember_action"`
	// Addresses, "^patterns" and "@otherlist@example.jp" (its members) with a fate of their own when they are not members.
	AcceptTheseNonmembers  []string `json:"accept_these_nonmembers,omitempty" toml:"accept_these_nonmembers"`
	HoldTheseNonmembers    []string `json:"hold_these_nonmembers,omitempty" toml:"hold_these_nonmembers"`
	RejectTheseNonmembers  []string `json:"reject_these_nonmembers,omitempty" toml:"reject_these_nonmembers"`
	DiscardTheseNonmembers []string `json:"discard_these_nonmembers,omitempty" toml:"discard_these_nonmembers"`
	// Addresses and "^patterns" that may neither post nor join.
	BanList []string `json:"ban_list,omitempty" toml:"ban_list"`
	// What happens to a post from a member's address that is not authenticated: hold, reject or discard.
	UnauthenticatedAction Action `json:"unauthenticated_action" toml:"unauthenticated_action"`
	// Addresses and domains ("example.jp") whose mail carries no authentication and is believed all the same.
	UnauthenticatedExempt []string `json:"unauthenticated_exempt,omitempty" toml:"unauthenticated_exempt"`
	// Hold every post until this is switched off.
	Emergency bool `json:"emergency" toml:"emergency"`
	// Hold posts that look like commands sent to the list by mistake.
	Administrivia bool `json:"administrivia" toml:"administrivia"`
	// Hold posts that do not name the list in To or Cc; acceptable_aliases are further addresses or "^patterns".
	RequireExplicitDestination bool     `json:"require_explicit_destination" toml:"require_explicit_destination"`
	AcceptableAliases          []string `json:"acceptable_aliases,omitempty" toml:"acceptable_aliases"`
	// Hold posts with this many recipients in To and Cc or more; 0 is no limit.
	MaxNumRecipients int `json:"max_num_recipients" toml:"max_num_recipients"`
	// Reject posts larger than this many kilobytes; 0 is the site's limit.
	MaxMessageSize int `json:"max_message_size" toml:"max_message_size"`
	// Hold posts without a Subject.
	RequireSubject bool `json:"require_subject" toml:"require_subject"`
	// Header fields that decide, in order; the first that matches counts.
	HeaderMatches []HeaderMatch `json:"header_matches,omitempty" toml:"header_matches"`

	// The charset of mails that Kairan writes itself: "utf-8", or "iso-2022-jp" for old mobile phones and mail programs. A mail with characters that ISO-2022-JP lacks is in UTF-8 all the same.
	NoticeCharset string `json:"notice_charset,omitempty" toml:"notice_charset"`

	// How one joins and leaves: "open", "confirm", "moderate" or "confirm_then_moderate". Requests that are not authenticated are confirmed in any case; the unsubscribe link of a copy always works at once.
	SubscriptionPolicy   Policy `json:"subscription_policy" toml:"subscription_policy"`
	UnsubscriptionPolicy Policy `json:"unsubscription_policy" toml:"unsubscription_policy"`
	// Addresses, "^patterns", domains and "@otherlist@example.jp" that join without a moderator's word.
	SubscribeAutoApproval []string `json:"subscribe_auto_approval,omitempty" toml:"subscribe_auto_approval"`
	// What who joins has to accept: a text, or the address of a page ("https://…"). It is shown where one joins, and the mail that asks for a confirmation leads to it.
	CodeOfConduct Text `json:"code_of_conduct,omitempty" toml:"code_of_conduct"`
	// Mail those who joined or left; welcome_msg and goodbye_msg are put into these mails, by language.
	SendWelcomeMessage bool `json:"send_welcome_message" toml:"send_welcome_message"`
	SendGoodbyeMessage bool `json:"send_goodbye_message" toml:"send_goodbye_message"`
	WelcomeMsg         Text `json:"welcome_msg,omitempty" toml:"welcome_msg"`
	GoodbyeMsg         Text `json:"goodbye_msg,omitempty" toml:"goodbye_msg"`
	// Mail the owners when somebody joined or left.
	AdminNotifyMchanges bool `json:"admin_notify_mchanges" toml:"admin_notify_mchanges"`
	// Who may see the list of members: "public", "members" or "moderators".
	MemberRosterVisibility string `json:"member_roster_visibility" toml:"member_roster_visibility"`

	// Whether moderators get a mail soon after a post is held; switched off, only the daily reminder tells them.
	AdminImmedNotify bool `json:"admin_immed_notify" toml:"admin_immed_notify"`
	// Whether the author of a held post is told that it waits, and what became of it. Only who is authenticated is told.
	RespondToPostRequests bool `json:"respond_to_post_requests" toml:"respond_to_post_requests"`
	// Whether a member whose address a post bears without proof is asked by mail: "was it you?". The member's yes lets the post through.
	AskAuthor bool `json:"ask_author" toml:"ask_author"`
	// After how many days a held post that nobody decided about is dropped; 0 is never.
	MaxDaysToHold int `json:"max_days_to_hold" toml:"max_days_to_hold"`
	// How many posts may wait at once, in all and of one author; more are rejected. A quarter of max_held is kept for authenticated authors. 0 is no limit.
	MaxHeld          int `json:"max_held" toml:"max_held"`
	MaxHeldPerSender int `json:"max_held_per_sender" toml:"max_held_per_sender"`
	// Texts for rejections that are often needed, by name, in each language: a moderator answers "reject NAME".
	RejectTexts map[string]Text `json:"reject_texts,omitempty" toml:"reject_texts"`

	// Whether mail that comes back counts against its receivers. At most one point a day is given: a whole one where the mailbox is gone, half a one where it is full or the reason is not known, none where the message or we are to blame.
	ProcessBounces bool `json:"process_bounces" toml:"process_bounces"`
	// From how many points on a member's mailbox is looked at, and after how many days without a bounce the points are forgotten.
	BounceScoreThreshold float64 `json:"bounce_score_threshold" toml:"bounce_score_threshold"`
	BounceInfoStaleAfter int     `json:"bounce_info_stale_after" toml:"bounce_info_stale_after"`
	// Whether a mail of its own is sent before delivery is switched off: only if that comes back too, it is.
	BounceSendProbes bool `json:"bounce_send_probes" toml:"bounce_send_probes"`
	// How many mails tell a member that delivery is off, and how many days lie between them; then the member is taken off the list.
	BounceYouAreDisabledWarnings         int `json:"bounce_you_are_disabled_warnings" toml:"bounce_you_are_disabled_warnings"`
	BounceYouAreDisabledWarningsInterval int `json:"bounce_you_are_disabled_warnings_interval" toml:"bounce_you_are_disabled_warnings_interval"`
	// What the owners are told of, in one mail a day at most: each point, delivery switched off, members taken off.
	BounceNotifyOwnerOnBounceIncrement bool `json:"bounce_notify_owner_on_bounce_increment" toml:"bounce_notify_owner_on_bounce_increment"`
	BounceNotifyOwnerOnDisable         bool `json:"bounce_notify_owner_on_disable" toml:"bounce_notify_owner_on_disable"`
	BounceNotifyOwnerOnRemoval         bool `json:"bounce_notify_owner_on_removal" toml:"bounce_notify_owner_on_removal"`

	// Whether members may choose digests: many posts in one mail. Switched off, those who had chosen them get the posts to come singly, and what waits goes out as a last issue.
	DigestsEnabled bool `json:"digests_enabled" toml:"digests_enabled"`
	// From how many kilobytes of posts on a digest is sent; 0 is no limit. It never holds more than 100 posts.
	DigestSizeThreshold int `json:"digest_size_threshold" toml:"digest_size_threshold"`
	// Whether a digest is sent every day at 6 o'clock in the site's time zone if anything waits for it.
	DigestSendPeriodic bool `json:"digest_send_periodic" toml:"digest_send_periodic"`
	// When the volume number of digests goes up and issues begin with 1 again: "yearly", "quarterly", "monthly", "weekly" or "daily".
	DigestVolumeFrequency string `json:"digest_volume_frequency" toml:"digest_volume_frequency"`

	// Who may read the archive: "public", "private" (members), "owners" (and moderators) or "never" (there is none). It holds for pages, search, feeds, downloads, old links and answers to mail.
	ArchivePolicy string `json:"archive_policy" toml:"archive_policy"`
	// For how many hours after it came the author of a post may withdraw it from the archive, by a button on its page or by mail; 0 is never.
	WithdrawHours int `json:"withdraw_hours" toml:"withdraw_hours"`
	// Ask search engines to leave the archive out. One that is not public is never offered to them.
	Noindex bool `json:"noindex,omitempty" toml:"noindex"`

	// Quotas, which only the site's administrator changes; 0 is what the configuration says for all lists ([limits] of the same name), which may be no limit.
	// How many members the list may have. When it is full nobody can join; an invitation and a confirmation still work when there is room again. Who changes the address or takes a leaving back counts as before.
	MaxMembers int `json:"max_members" toml:"max_members"`
	// How many posts may go out on one day of the site's time zone, those that a moderator accepted among them. Further ones are held for the moderators.
	MaxPostsPerDay int `json:"max_posts_per_day" toml:"max_posts_per_day"`
	// How many megabytes the archive may have. When it is full posts are held for the moderators: what they accept is archived all the same.
	MaxArchiveSize int `json:"max_archive_size" toml:"max_archive_size"`
}

// Values of Settings.NoticeCharset; "" means UTF8.
const (
	UTF8      = "utf-8"
	ISO2022JP = "iso-2022-jp"
)

// HeaderMatch is one row of Settings.HeaderMatches.
type HeaderMatch struct {
	Header  string `json:"header" toml:"header"`
	Pattern string `json:"pattern" toml:"pattern"` // RE2, any case
	Action  Action `json:"action" toml:"action"`
}

// DefaultSettings are those of a new discussion list.
func DefaultSettings(lang string) Settings {
	s := Settings{
		PreferredLanguage:          lang,
		Advertised:                 true,
		ReplyGoesToList:            "none",
		PersonalUnsubscribe:        true,
		AllowListPosts:             true,
		DefaultMemberAction:        Accept,
		DefaultNonmemberAction:     Hold,
		UnauthenticatedAction:      Hold,
		Administrivia:              true,
		RequireExplicitDestination: true,
		MaxNumRecipients:           10,
		MaxMessageSize:             1024,
		AdminImmedNotify:           true,
		RespondToPostRequests:      true,
		MaxDaysToHold:              14,
		MaxHeld:                    200,
		MaxHeldPerSender:           10,
		NoticeCharset:              UTF8,
		SubscriptionPolicy:         PolicyConfirm,
		UnsubscriptionPolicy:       PolicyOpen,
		SendWelcomeMessage:         true,
		SendGoodbyeMessage:         true,
		MemberRosterVisibility:     RosterModerators,
		ArchivePolicy:              ArchivePublic,
		WithdrawHours:              withdrawHours,
	}
	s.defaultBounces()
	s.defaultDigests()
	return s
}

// withoutOneClick are the providers that shared_copies may name.
func withoutOneClick() (names []string) {
	for _, p := range queue.Providers() {
		if p.NoOneClick {
			names = append(names, p.Name)
		}
	}
	return names
}

var numberVerb = regexp.MustCompile(`%0?[0-9]?d`)

// Check returns an error that names each setting that cannot be, and why.
func (s *Settings) Check() error {
	var errs []error
	wrong := func(setting, key string, args ...any) { errs = append(errs, templates.NewFault(setting, key, args...)) }
	oneOf := func(setting, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			wrong(setting, "one-of", "value", value, "allowed", strings.Join(allowed, ", "))
		}
	}
	oneOf("preferred_language", s.PreferredLanguage, templates.Languages()...)
	oneOf("reply_goes_to_list", s.ReplyGoesToList, "none", "list", "explicit")
	oneOf("archive_policy", s.ArchivePolicy, ArchivePublic, ArchivePrivate, ArchiveOwners, ArchiveNever)
	s.checkSubscription(oneOf)
	oneOf("notice_charset", cmp.Or(s.NoticeCharset, UTF8), UTF8, ISO2022JP)
	oneOf("default_member_action", string(s.DefaultMemberAction), "accept", "hold", "reject", "discard")
	oneOf("default_nonmember_action", string(s.DefaultNonmemberAction), "accept", "hold", "reject", "discard")
	oneOf("unauthenticated_action", string(s.UnauthenticatedAction), "hold", "reject", "discard")
	if s.ReplyGoesToList == "explicit" {
		if s.ReplyToAddress == "" {
			wrong("reply_to_address", "address-missing")
		} else if _, err := address.Parse(s.ReplyToAddress); err != nil {
			wrong("reply_to_address", "address", "value", s.ReplyToAddress)
		}
	}
	if rest := numberVerb.ReplaceAllString(s.SubjectPrefix, ""); strings.Contains(rest, "%") || hasControl(s.SubjectPrefix) {
		wrong("subject_prefix", "subject-prefix", "value", s.SubjectPrefix)
	}
	if hasControl(s.DisplayName) {
		wrong("display_name", "one-line")
	}
	negative := func(setting string, n int) {
		if n < 0 {
			wrong(setting, "negative", "value", n)
		}
	}
	negative("max_num_recipients", s.MaxNumRecipients)
	negative("withdraw_hours", s.WithdrawHours)
	negative("max_message_size", s.MaxMessageSize)
	negative(string(QuotaMembers), s.MaxMembers)
	negative(string(QuotaPosts), s.MaxPostsPerDay)
	negative(string(QuotaArchive), s.MaxArchiveSize)
	for _, p := range s.patternLists() {
		if why := wrongPattern(p.patterns); why != nil {
			wrong(p.setting, "entry", why...)
		}
	}
	s.checkModeration(wrong, negative)
	s.checkConduct(wrong)
	for _, name := range s.SharedCopies {
		oneOf("shared_copies", name, withoutOneClick()...)
	}
	s.checkBounces(wrong)
	s.checkDigests(wrong, oneOf)
	for i, h := range s.HeaderMatches {
		for _, why := range h.faults() {
			wrong("header_matches", "entry", "number", i+1, "why", why)
		}
	}
	return errors.Join(errs...)
}

// patternList is a setting that Match reads.
type patternList struct {
	setting  string
	patterns []string
}

func (s *Settings) patternLists() []patternList {
	return []patternList{
		{"accept_these_nonmembers", s.AcceptTheseNonmembers},
		{"hold_these_nonmembers", s.HoldTheseNonmembers},
		{"reject_these_nonmembers", s.RejectTheseNonmembers},
		{"discard_these_nonmembers", s.DiscardTheseNonmembers},
		{"ban_list", s.BanList},
		{"unauthenticated_exempt", s.UnauthenticatedExempt},
		{"acceptable_aliases", s.AcceptableAliases},
		{"subscribe_auto_approval", s.SubscribeAutoApproval},
	}
}

// faults are what is wrong with the row.
func (h HeaderMatch) faults() (all []*templates.Fault) {
	if why := wrongRegexp(h.Pattern); why != nil {
		all = append(all, why)
	}
	if h.Header == "" || strings.ContainsAny(h.Header, ": \r\n") {
		all = append(all, templates.FaultPart("header-name", "value", h.Header))
	}
	if allowed := []string{"accept", "hold", "reject", "discard"}; !slices.Contains(allowed, string(h.Action)) {
		all = append(all, templates.FaultPart("one-of", "value", h.Action, "allowed", strings.Join(allowed, ", ")))
	}
	return all
}

// CheckPatterns returns an error that names the first entry that [Match] could not read.
func CheckPatterns(patterns []string) error {
	if why := wrongPattern(patterns); why != nil {
		return templates.FaultPart("entry", why...)
	}
	return nil
}

// wrongPattern says which entry Match could not read, and why, as the parameters of the fault "entry"; nil for none.
func wrongPattern(patterns []string) []any {
	for i, p := range patterns {
		if p == "" || hasControl(p) {
			return []any{"number", i + 1, "why", templates.FaultPart("pattern", "value", p)}
		}
		if strings.HasPrefix(p, "^") {
			if why := wrongRegexp(p); why != nil {
				return []any{"number", i + 1, "why", why}
			}
		}
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Match returns the first entry of patterns that means addr: an address, a "^pattern" (RE2, any case),
// or a domain "example.jp" where the setting speaks of domains.
func Match(patterns []string, addr address.Address) (entry string, ok bool) {
	key := addr.Key()
	for _, p := range patterns {
		switch {
		case strings.HasPrefix(p, "^"):
			if re, err := regexp.Compile("(?i)" + p); err == nil && re.MatchString(key) {
				return p, true
			}
		case strings.HasPrefix(p, "@"): // the members of another list: asked where the store is
		case !strings.Contains(p, "@"):
			if strings.EqualFold(p, addr.Domain()) || strings.EqualFold(p, addr.ASCIIDomain()) {
				return p, true
			}
		default:
			if a, err := address.Parse(p); err == nil && a.Key() == key {
				return p, true
			}
		}
	}
	return "", false
}
