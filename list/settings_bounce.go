package list

import "kairan/storage"

// defaultBounces sets what holds for bounces in a new list.
func (s *Settings) defaultBounces() {
	s.ProcessBounces, s.BounceSendProbes = true, true
	s.BounceScoreThreshold, s.BounceInfoStaleAfter = 5, 7
	s.BounceYouAreDisabledWarnings, s.BounceYouAreDisabledWarningsInterval = 3, 7
	s.BounceNotifyOwnerOnDisable, s.BounceNotifyOwnerOnRemoval = true, true
}

// addSettings gives the lists that lack settings which came later those of a new list.
func addSettings(tx *storage.Tx, lacks func(*Settings) bool, add func(*Settings)) error {
	var old []*List
	for l := range All(tx) {
		if lacks(&l.Settings) {
			old = append(old, l)
		}
	}
	for _, l := range old {
		add(&l.Settings)
		if err := lists.Put(tx, l.ID, *l); err != nil {
			return err
		}
	}
	return nil
}

// checkBounces is the part of Check about bounces.
func (s *Settings) checkBounces(wrong func(setting, key string, args ...any)) {
	if s.BounceScoreThreshold <= 0 {
		wrong("bounce_score_threshold", "points", "value", s.BounceScoreThreshold)
	}
	for _, n := range []struct {
		setting string
		value   int
		least   int
	}{
		{"bounce_info_stale_after", s.BounceInfoStaleAfter, 1},
		{"bounce_you_are_disabled_warnings", s.BounceYouAreDisabledWarnings, 0},
		{"bounce_you_are_disabled_warnings_interval", s.BounceYouAreDisabledWarningsInterval, 1},
	} {
		if n.value < n.least {
			wrong(n.setting, "least", "value", n.value, "least", n.least)
		}
	}
}
