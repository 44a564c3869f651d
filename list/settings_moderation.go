package list

import (
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/templates"
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
func (s *Settings) checkModeration(wrong func(setting, key string, args ...any), negative func(setting string, n int)) {
	negative("max_days_to_hold", s.MaxDaysToHold)
	negative("max_held", s.MaxHeld)
	negative("max_held_per_sender", s.MaxHeldPerSender)
	if s.UndoSeconds < 0 || s.UndoSeconds > maxUndoSeconds {
		wrong("undo_seconds", "up-to", "value", s.UndoSeconds, "most", maxUndoSeconds)
	}
	if len(s.RejectTexts) > maxRejectTexts {
		wrong("reject_texts", "too-many", "count", len(s.RejectTexts), "most", maxRejectTexts)
	}
	for _, name := range slices.Sorted(maps.Keys(s.RejectTexts)) {
		if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, " \t,:") || hasControl(name) {
			wrong("reject_texts", "reject-name", "value", name)
		}
		for lang, text := range s.RejectTexts[name] {
			if len(text) > maxRejectText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
				wrong("reject_texts", "text", "which", templates.FaultPart("named-in-"+lang, "name", name), "most", maxRejectText)
			}
		}
	}
}

// RejectText returns the saved text of that name in lang, or ok false when there is none.
func (s *Settings) RejectText(name, lang string) (text string, ok bool) {
	t, ok := s.RejectTexts[strings.ToLower(name)]
	return t.In(lang), ok
}
