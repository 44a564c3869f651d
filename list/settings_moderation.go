package list

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Bounds of Settings.RejectTexts: it travels with every read of its list.
const (
	maxRejectTexts = 20
	maxRejectText  = 4 << 10 // bytes
)

// maxUndoSeconds is the longest undo_seconds: a discussion is not to wait for longer.
const maxUndoSeconds = 600

// UndoWindow is for how long an accepted post can be taken back by its author.
func (s *Settings) UndoWindow() time.Duration { return time.Duration(s.UndoSeconds) * time.Second }

// checkModeration is the part of Check about held posts.
func (s *Settings) checkModeration(bad func(setting, format string, args ...any)) {
	for _, n := range []struct {
		setting string
		value   int
	}{{"max_days_to_hold", s.MaxDaysToHold}, {"max_held", s.MaxHeld}, {"max_held_per_sender", s.MaxHeldPerSender}} {
		if n.value < 0 {
			bad(n.setting, "%d is negative", n.value)
		}
	}
	if s.UndoSeconds < 0 || s.UndoSeconds > maxUndoSeconds {
		bad("undo_seconds", "%d: 0 for none, or up to %d", s.UndoSeconds, maxUndoSeconds)
	}
	if len(s.RejectTexts) > maxRejectTexts {
		bad("reject_texts", "there are %d; %d is the most", len(s.RejectTexts), maxRejectTexts)
	}
	for _, name := range slices.Sorted(maps.Keys(s.RejectTexts)) {
		if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, " \t,:") || hasControl(name) {
			bad("reject_texts", "%q: a name is one word in lower case", name)
		}
		for lang, text := range s.RejectTexts[name] {
			if len(text) > maxRejectText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
				bad("reject_texts", "%s in %q: a text has at most %d bytes and no control characters", name, lang, maxRejectText)
			}
		}
	}
}

// RejectText returns the saved text of that name in lang, or ok false when there is none.
func (s *Settings) RejectText(name, lang string) (text string, ok bool) {
	t, ok := s.RejectTexts[strings.ToLower(name)]
	return t.In(lang), ok
}
