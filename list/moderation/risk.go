package moderation

import (
	"kairan/list"
	"kairan/smtpd/mailauth"
)

// risks is how much each rule that holds posts adds to the risk of one, in points. docs/moderation.md has the same table.
var risks = map[string]int{
	"unauthenticated":      50,
	"header-match":         30,
	"nonmember-moderation": 25,
	"nonmember-listed":     25,
	"nonmember":            20,
	"dns-failure":          15,
	"member-moderation":    15,
	"implicit-destination": 10,
	"too-many-recipients":  10,
	"looks-automatic":      10,
	"announce-only":        5,
	"no-subject":           5,
	"administrivia":        0,
	"digest-reply":         0,
	"member-default":       0,
	"emergency":            0,
	"posts-per-day":        0,
	"archive-full":         0,
}

// What authentication adds.
const (
	riskForged   = 40 // DMARC fails: the domain says that the mail is not from it
	riskUnproven = 20 // nothing shows that the author is who the mail says
)

// Risk says how much harm a held post may do if it is accepted, in points from 0 on. It is a pure function of why the post is held and
// of what authentication found.
func Risk(v list.Verdict, auth mailauth.Results) (points int) {
	for _, r := range v.Reasons {
		points += risks[r.Rule]
	}
	switch {
	case auth.DMARC.Result == mailauth.Fail:
		points += riskForged
	case !auth.Author():
		points += riskUnproven
	}
	return points
}

// RiskLevel is a risk as people read it: "high", "some" or "low".
func RiskLevel(points int) string {
	switch {
	case points >= 50:
		return "high"
	case points >= 20:
		return "some"
	}
	return "low"
}
