package list

import "time"

// Values of Settings.DigestVolumeFrequency, in Mailman's words.
const (
	VolumeYearly    = "yearly"
	VolumeQuarterly = "quarterly"
	VolumeMonthly   = "monthly"
	VolumeWeekly    = "weekly"
	VolumeDaily     = "daily"
)

// maxDigestSize is the largest digest_size_threshold in kilobytes: many mailboxes take no mail of more than 10 MB.
const maxDigestSize = 5 << 10

// defaultDigests sets what holds for digests in a new list.
func (s *Settings) defaultDigests() {
	s.DigestsEnabled, s.DigestSendPeriodic = true, true
	s.DigestSizeThreshold, s.DigestVolumeFrequency = 30, VolumeMonthly
}

// checkDigests is the part of Check about digests.
func (s *Settings) checkDigests(wrong func(setting, key string, args ...any), oneOf func(setting, value string, allowed ...string)) {
	if s.DigestSizeThreshold < 0 || s.DigestSizeThreshold > maxDigestSize {
		wrong("digest_size_threshold", "kilobytes", "value", s.DigestSizeThreshold, "most", maxDigestSize)
	}
	oneOf("digest_volume_frequency", s.DigestVolumeFrequency, VolumeYearly, VolumeQuarterly, VolumeMonthly, VolumeWeekly, VolumeDaily)
}

// sameVolume reports whether digests of two moments belong to the same volume.
func sameVolume(frequency string, a, b time.Time) bool {
	y1, w1 := a.ISOWeek()
	y2, w2 := b.ISOWeek()
	switch frequency {
	case VolumeYearly:
		return a.Year() == b.Year()
	case VolumeQuarterly:
		return a.Year() == b.Year() && (a.Month()-1)/3 == (b.Month()-1)/3
	case VolumeWeekly:
		return y1 == y2 && w1 == w2
	case VolumeDaily:
		return a.Year() == b.Year() && a.YearDay() == b.YearDay()
	}
	return a.Year() == b.Year() && a.Month() == b.Month()
}
