package list

import (
	"fmt"
	"strings"
)

// Style is what a new list is for. It decides the settings that the list begins with; later it means nothing.
type Style string

const (
	StyleDiscussion    Style = "discussion"    // everybody may join and read
	StyleAnnouncements Style = "announcements" // only those who run it write
	StylePrivate       Style = "private"       // a working group that admits its members and keeps to itself
)

// styles are the settings in which each style differs from DefaultSettings.
var styles = []struct {
	style  Style
	change func(*Settings)
}{
	{StyleDiscussion, func(*Settings) {}},
	{StyleAnnouncements, func(s *Settings) {
		s.AllowListPosts = false
		s.DigestsEnabled = false
	}},
	{StylePrivate, func(s *Settings) {
		s.Advertised = false
		s.Noindex = true
		s.ArchivePolicy = ArchivePrivate
		s.SubscriptionPolicy = PolicyConfirmThenModerate
		s.MemberRosterVisibility = RosterMembers
		s.DefaultNonmemberAction = Reject
		s.AdminNotifyMchanges = true
	}},
}

// Styles are the styles there are, the usual one first.
func Styles() (all []Style) {
	for _, row := range styles {
		all = append(all, row.style)
	}
	return all
}

// StyleSettings are those of a new list of a style, in its own language.
func StyleSettings(style Style, lang string) (Settings, error) {
	var names []string
	for _, row := range styles {
		if row.style == style {
			s := DefaultSettings(lang)
			row.change(&s)
			return s, nil
		}
		names = append(names, string(row.style))
	}
	return Settings{}, fmt.Errorf("there is no style %q: a list is made as one of %s", style, strings.Join(names, ", "))
}
