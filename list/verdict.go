package list

import "strings"

// Action is what is done with a post. The order is severity: of several verdicts for one message in SMTP the first decides.
type Action string

const (
	Accept  Action = "accept"
	Hold    Action = "hold"
	Reject  Action = "reject"
	Discard Action = "discard"
	Defer   Action = "defer" // not now: a DNS failure would change the outcome; the client is told 451
)

// Verdict is a decision with its reasons. It is policy; that something of ours failed is an error and never a Verdict.
type Verdict struct {
	Action  Action   `json:"action"`
	Reasons []Reason `json:"reasons,omitempty"`
	// By is the moderator or tool that decided, "" for the rules.
	By string `json:"by,omitempty"`
}

// Reason is a rule that spoke.
type Reason struct {
	Rule   string `json:"rule"`             // the rule's name in the table of list/rules, a locale key too: "reason.NAME"
	Detail string `json:"detail,omitempty"` // what it found: an address, a pattern, a number
}

// String returns "hold (nonmember, no-subject)".
func (v Verdict) String() string {
	if len(v.Reasons) == 0 {
		return string(v.Action)
	}
	var names []string
	for _, r := range v.Reasons {
		names = append(names, r.Rule)
	}
	return string(v.Action) + " (" + strings.Join(names, ", ") + ")"
}
