package moderation

import (
	"cmp"

	"kairan/smtpd/mailauth"
)

// maxSignatures is how many DKIM signatures of a post are spoken of.
const maxSignatures = 5

// authentication says in sentences what SPF, DKIM and DMARC found about a post, and which domain passed.
func (m *Moderation) authentication(lang string, r mailauth.Results) (lines []string) {
	say := func(key string, args ...any) { lines = append(lines, m.Templates.T(lang, "auth."+key, args...)) }
	domain := func(d string) string { return clip(plain(d), 254) }
	switch {
	case r.DMARC.Result == mailauth.Pass:
		say("dmarc-pass", "domain", domain(r.DMARC.Domain))
	case r.DMARC.Result == mailauth.Fail:
		say("dmarc-fail", "domain", domain(r.DMARC.Domain), "policy", m.Templates.T(lang, "auth.policy-"+policy(r.DMARC.Policy)))
	case r.DMARC.Result == mailauth.TempError || r.DMARC.Result == mailauth.PermError:
		say("dmarc-error", "domain", domain(r.DMARC.Domain))
	case r.DMARC.Domain != "":
		say("dmarc-none", "domain", domain(r.DMARC.Domain))
	}
	if r.SPF.Domain == "" {
		say("spf-nobody")
	} else {
		say("spf-"+spfWord(r.SPF.Result), "domain", domain(r.SPF.Domain), "ip", cmp.Or(clientOf(r), "?"))
	}
	for i, s := range r.DKIM {
		if i == maxSignatures {
			say("dkim-more", "n", len(r.DKIM)-i)
			break
		}
		say("dkim-"+dkimWord(s), "domain", domain(s.Domain))
	}
	if len(r.DKIM) == 0 {
		say("dkim-none")
	}
	if r.Relay != "" {
		say("relay", "relay", domain(r.Relay))
	}
	return lines
}

func clientOf(r mailauth.Results) string {
	if !r.SPF.IP.IsValid() {
		return ""
	}
	return r.SPF.IP.String()
}

func policy(p string) string {
	if p == "quarantine" || p == "reject" {
		return p
	}
	return "none"
}

func spfWord(r mailauth.Result) string {
	switch r {
	case mailauth.Pass, mailauth.Fail, mailauth.SoftFail, mailauth.Neutral, mailauth.TempError, mailauth.PermError:
		return string(r)
	}
	return "none"
}

func dkimWord(s mailauth.Signature) string {
	switch {
	case s.Result == mailauth.Pass && s.Aligned:
		return "own"
	case s.Result == mailauth.Pass:
		return "other"
	case s.Result == mailauth.Fail:
		return "fail"
	case s.Result == mailauth.TempError:
		return "temperror"
	}
	return "unusable"
}
