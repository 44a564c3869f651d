package list

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// Policy says what somebody who joins or leaves has to wait for, in Mailman's words. Whatever it says, a request that is not
// authenticated waits for a confirmation first: nobody is put on a list, or taken off one, by a forgery.
type Policy string

const (
	PolicyOpen                Policy = "open"                  // nothing more
	PolicyConfirm             Policy = "confirm"               // the person's confirmation
	PolicyModerate            Policy = "moderate"              // a moderator's word
	PolicyConfirmThenModerate Policy = "confirm_then_moderate" // both
)

// Confirms reports whether an authenticated request, too, waits for a confirmation.
func (p Policy) Confirms() bool { return p == PolicyConfirm || p == PolicyConfirmThenModerate }

// Moderates reports whether a moderator has to agree.
func (p Policy) Moderates() bool { return p == PolicyModerate || p == PolicyConfirmThenModerate }

// Who may see the members: Settings.MemberRosterVisibility.
const (
	RosterPublic     = "public"
	RosterMembers    = "members"
	RosterModerators = "moderators"
)

// Who may read the archive: Settings.ArchivePolicy.
const (
	ArchivePublic  = "public"
	ArchivePrivate = "private" // members, moderators and owners
	ArchiveOwners  = "owners"  // moderators and owners
	ArchiveNever   = "never"   // there is none
)

// withdrawHours is the setting withdraw_hours of a new list.
const withdrawHours = 72

// WithdrawWindow is how long after it came an author may withdraw a post from the archive.
func (s *Settings) WithdrawWindow() time.Duration { return time.Duration(s.WithdrawHours) * time.Hour }

// MayRead reports whether an address may read the list's archive; the null address is a stranger's. Every outlet of the archive asks here.
func MayRead(tx *storage.Tx, l *List, addr address.Address) bool {
	switch l.Settings.ArchivePolicy {
	case ArchivePublic:
		return true
	case ArchivePrivate:
		return !addr.IsNull() && Has(tx, l.ID, addr, RoleMember, RoleModerator, RoleOwner)
	case ArchiveOwners:
		return !addr.IsNull() && Has(tx, l.ID, addr, RoleModerator, RoleOwner)
	}
	return false
}

// checkSubscription reports the settings of joining and leaving that cannot be.
func (s *Settings) checkSubscription(oneOf func(setting, value string, allowed ...string)) {
	policies := []string{string(PolicyOpen), string(PolicyConfirm), string(PolicyModerate), string(PolicyConfirmThenModerate)}
	oneOf("subscription_policy", string(s.SubscriptionPolicy), policies...)
	oneOf("unsubscription_policy", string(s.UnsubscriptionPolicy), policies...)
	oneOf("member_roster_visibility", s.MemberRosterVisibility, RosterPublic, RosterMembers, RosterModerators)
}

// maxConduct bounds a code of conduct in bytes: it travels with every read of its list. A longer one is a page somewhere.
const maxConduct = 20 << 10

// checkConduct reports a code of conduct that cannot be.
func (s *Settings) checkConduct(wrong func(setting, key string, args ...any)) {
	for lang, text := range s.CodeOfConduct {
		if len(text) > maxConduct || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
			wrong("code_of_conduct", "text", "which", templates.FaultPart("in-"+lang), "most", maxConduct)
		}
	}
}

// Conduct returns the list's code of conduct in a language: a text, or where it is a page of its own, that page's address.
func (s *Settings) Conduct(lang string) (text, page string) {
	text = strings.TrimSpace(s.CodeOfConduct.In(lang))
	if u, err := url.Parse(text); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(text, " \n\t") {
		return "", text
	}
	return text, ""
}

// Readdress moves everything that one address is in a list to another address. Of a role that the new address has already the
// old one is only taken away. The unsubscribe token moves along, and the history of each address names the other. It returns
// ErrNotMember if the old address is nothing there.
func Readdress(tx *storage.Tx, l ID, from, to address.Address, now time.Time) error {
	var roles []Role
	for id, role := range Memberships(tx, from) {
		if id == l {
			roles = append(roles, role)
		}
	}
	if len(roles) == 0 {
		return ErrNotMember
	}
	for _, role := range roles {
		m, err := GetMember(tx, l, role, from)
		if err != nil {
			return err
		}
		if err := leave(tx, l, role, from, now); err != nil {
			return err
		}
		m.Address = to
		if m.DeliveryStatus == DeliveryByBounces { // that was the old address
			m.DeliveryStatus = DeliveryEnabled
		}
		if err := join(tx, *m); err != nil && !errors.Is(err, ErrExists) {
			return err
		}
	}
	args := map[string]string{"from": from.String(), "to": to.String()}
	return errors.Join(
		NoteMember(tx, l, from, Event{At: now, Stage: "chaddr", Text: "is now " + to.String(), By: from.String(), Word: "member.moved", Args: args}),
		NoteMember(tx, l, to, Event{At: now, Stage: "chaddr", Text: "was " + from.String(), By: from.String(), Word: "member.moved", Args: args}),
	)
}

// Has reports whether an address has one of the roles in a list.
func Has(tx *storage.Tx, l ID, addr address.Address, roles ...Role) bool {
	for id, role := range Memberships(tx, addr) {
		if id == l && slices.Contains(roles, role) {
			return true
		}
	}
	return false
}
