package subscribe

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// actionAddress waits for the confirmation of one more address of a person. It belongs to no list, so that an answer by mail confirms
// nothing: it takes the page, and there who asked.
const actionAddress = "address"

// joining is the Data of a Pending for one more address.
type joining struct {
	Of address.Address `json:"of"` // the preferred one of who asked
}

// NewAddress is a request for one more address of a person.
type NewAddress struct {
	Person  *list.Person
	Address address.Address
	Lang    string // of the mail
	Link    string // of the page that confirms, without the token
	Now     time.Time
}

// AskAddress mails a confirmation to an address that somebody wants to have beside others. The result is the same whether it was mailed or
// not: it is not if the address wants no mail that others ask for, or had too many.
func (w *Workflow) AskAddress(tx *storage.Tx, n NewAddress) (Result, error) {
	res := Result{State: Asked}
	through, err := w.through(tx, n.Person.Preferred())
	if err != nil || through == nil || blocked(tx, n.Address) {
		return res, err
	}
	if ok, err := allow(tx, Request{List: through, Address: n.Address, Now: n.Now}); err != nil || !ok {
		return res, err
	}
	data, err := json.Marshal(joining{Of: n.Person.Preferred()})
	if err != nil {
		return res, err
	}
	p := list.Pending{Action: actionAddress, Address: n.Address, Data: data, Created: n.Now, Expires: n.Now.Add(list.PendingLife)}
	if err := list.WithdrawPending(tx, p.Action, p.List, p.Address); err != nil {
		return res, err
	}
	token, err := list.NewPending(tx, p)
	if err != nil {
		return res, err
	}
	mail, err := w.siteLetter(tx, through, Letter{To: n.Address, Name: "confirm-address", Lang: n.Lang, Unasked: true, Args: map[string]string{
		"confirm": n.Link + token,
		"expires": p.Expires.In(w.Site.Location).Format("2006-01-02 15:04 MST"),
		"never":   w.neverURL(tx, n.Address),
	}})
	res.Mails = append(res.Mails, mail)
	return res, err
}

// WaitingAddress returns the address that a token of [Workflow.AskAddress] would add, or list.ErrToken. For anybody but who asked it
// returns ErrNotYours.
func WaitingAddress(tx *storage.Tx, token string, who *list.Person, now time.Time) (address.Address, error) {
	p, err := list.GetPending(tx, token, now)
	if err != nil {
		return address.Address{}, err
	}
	var j joining
	if p.Kind() != actionAddress || p.List != "" {
		return address.Address{}, list.ErrToken
	}
	if err := json.Unmarshal(p.Data, &j); err != nil {
		return address.Address{}, err
	}
	if !who.Has(j.Of) {
		return address.Address{}, ErrNotYours
	}
	return p.Address, nil
}

// ErrNotYours says that somebody else asked.
var ErrNotYours = errors.New("somebody else asked for it")

// ConfirmAddress adds the address of a token to who asked for it, and tells all addresses. Beside those of [WaitingAddress] it returns the
// errors of list.Person.AddAddress.
func (w *Workflow) ConfirmAddress(tx *storage.Tx, token string, who *list.Person, now time.Time) (Result, error) {
	addr, err := WaitingAddress(tx, token, who, now)
	if err != nil {
		return Result{}, err
	}
	if _, err := list.TakePending(tx, token, now); err != nil {
		return Result{}, err
	}
	return w.AddAddress(tx, who, addr, list.Edit{By: who.Preferred().String(), At: now})
}

// AddAddress adds an address that needs no confirmation, or has it, to a person, and tells all addresses. It returns the errors of
// list.Person.AddAddress.
func (w *Workflow) AddAddress(tx *storage.Tx, who *list.Person, addr address.Address, e list.Edit) (Result, error) {
	if err := who.AddAddress(tx, addr, e.At); err != nil {
		return Result{}, err
	}
	if err := list.LogPerson(tx, who, noted(e, list.Event{Word: "person.address-added"}, addr.String())); err != nil {
		return Result{}, err
	}
	w.Log.Info("address added", "person", string(who.ID), "address", addr.String())
	return w.TellPerson(tx, who, "address-added", map[string]string{"which": addr.String()})
}

// RemoveAddress makes an address somebody of its own, tells it and the others, and ends the sessions that were begun with it. It returns the
// errors of list.Person.RemoveAddress.
func (w *Workflow) RemoveAddress(tx *storage.Tx, who *list.Person, addr address.Address, e list.Edit) (Result, error) {
	told := list.Person{Addresses: slices.Clone(who.Addresses)}
	if err := who.RemoveAddress(tx, addr); err != nil {
		return Result{}, err
	}
	if !told.Did(e.By) {
		if err := list.LogPerson(tx, who, noted(e, list.Event{Word: "person.address-removed"}, addr.String())); err != nil {
			return Result{}, err
		}
	}
	end := list.Edit{By: addr.String(), At: e.At} // it is part of this, and needs no line of its own
	if _, err := list.PersonOf(tx, addr).EndSessions(tx, func(*list.Session) bool { return true }, end); err != nil {
		return Result{}, err
	}
	w.Log.Info("address removed", "person", string(who.ID), "address", addr.String())
	return w.TellPerson(tx, &told, "address-removed", map[string]string{"which": addr.String()})
}

// Prefer makes one of a person's addresses the preferred one. It returns the errors of list.Person.Prefer.
func (w *Workflow) Prefer(tx *storage.Tx, who *list.Person, addr address.Address, e list.Edit) error {
	if err := who.Prefer(tx, addr); err != nil {
		return err
	}
	return list.LogPerson(tx, who, noted(e, list.Event{Word: "person.preferred"}, addr.String()))
}

// noted is a line of the site's log about something of a person's.
func noted(e list.Edit, line list.Event, which string) list.Event {
	line.At, line.By, line.Args = e.At, e.By, map[string]string{"which": which, "why": e.Why}
	return line
}

// AddPasskey adds a passkey to a person who has a row, and tells all addresses. It returns the errors of list.Person.AddPasskey.
func (w *Workflow) AddPasskey(tx *storage.Tx, who *list.Person, credentialID []byte, k list.Passkey) (Result, error) {
	if err := who.AddPasskey(tx, credentialID, k); err != nil {
		return Result{}, err
	}
	w.Log.Info("passkey added", "person", string(who.ID))
	return w.TellPerson(tx, who, "passkey-added", map[string]string{"which": k.Name})
}

// RemovePasskey removes a passkey of a person, and tells all addresses. It returns storage.ErrNotFound if it is none of theirs.
func (w *Workflow) RemovePasskey(tx *storage.Tx, who *list.Person, key string, e list.Edit) (Result, error) {
	for _, k := range who.Passkeys(tx) {
		if k.Key != key {
			continue
		}
		if err := who.RemovePasskey(tx, key); err != nil {
			return Result{}, err
		}
		if err := list.LogPerson(tx, who, noted(e, list.Event{Word: "person.passkey-removed"}, k.Name)); err != nil {
			return Result{}, err
		}
		w.Log.Info("passkey removed", "person", string(who.ID))
		return w.TellPerson(tx, who, "passkey-removed", map[string]string{"which": k.Name})
	}
	return Result{}, storage.ErrNotFound
}

// Movable are the other addresses of a person to which a membership may be moved, with list.Readdress: those that are not banned.
func (w *Workflow) Movable(tx *storage.Tx, l *list.List, who *list.Person, from address.Address) []address.Address {
	return slices.DeleteFunc(who.Others(from), func(a address.Address) bool { return w.banned(tx, l, a) })
}

// TellPerson mails the same to all addresses of a person, from the site.
func (w *Workflow) TellPerson(tx *storage.Tx, who *list.Person, mail string, args map[string]string) (Result, error) {
	res := Result{State: Done}
	through, err := w.through(tx, who.Preferred())
	if err != nil || through == nil {
		return res, err
	}
	for _, a := range who.Addresses {
		n, err := w.siteLetter(tx, through, Letter{To: a, Name: mail, Args: args})
		if err != nil {
			return res, err
		}
		res.Mails = append(res.Mails, n)
	}
	return res, nil
}

// siteLetter is a letter of the site's own, signed by the domain of a list.
func (w *Workflow) siteLetter(tx *storage.Tx, through *list.List, le Letter) (Notice, error) {
	args := map[string]string{"site": w.Site.Hostname, "my": w.Site.URL + "/-/my", "admin": w.Site.Admin.String()}
	maps.Copy(args, le.Args)
	le.List, le.Args = through, args
	n, err := w.Letter(tx, le)
	n.From = w.Site.Mailbox(through)
	return n, err
}

// through is the list whose domain signs the site's mails to somebody: one of the person's, or else the first; nil where there is none.
func (w *Workflow) through(tx *storage.Tx, addr address.Address) (*list.List, error) {
	l, _, err := w.SignsFor(tx, addr)
	if l != nil || err != nil {
		return l, err
	}
	return firstList(tx), nil
}

func firstList(tx *storage.Tx) *list.List {
	for l := range list.All(tx) {
		if l.Removed.IsZero() {
			return l
		}
	}
	return nil
}

// SignsFor returns a list whose domain signs the site's mail to somebody who is known here: one that an address of the person belongs to,
// for the site's administrator any. The address is returned as it is known here, for there may be mail hosts to which "Ann" is somebody
// else than "ann". The list is nil for who is not known.
func (w *Workflow) SignsFor(tx *storage.Tx, addr address.Address) (*list.List, address.Address, error) {
	who := list.PersonOf(tx, addr)
	if who.ID != "" {
		addr = who.As(addr)
	}
	for _, a := range append([]address.Address{addr}, who.Others(addr)...) {
		m, l, err := w.anyPlace(tx, a)
		switch {
		case err != nil:
			return nil, addr, err
		case m == nil:
		case who.ID == "":
			return l, m.Address, nil
		default:
			return l, addr, nil
		}
	}
	if !who.Has(w.Site.Admin) {
		return nil, addr, nil
	}
	if addr.Key() == w.Site.Admin.Key() {
		addr = w.Site.Admin
	}
	return firstList(tx), addr, nil
}

// anyPlace returns what an address is in some list that is open; nil for nothing.
func (w *Workflow) anyPlace(tx *storage.Tx, addr address.Address) (*list.Member, *list.List, error) {
	for id, role := range list.Memberships(tx, addr) {
		l, err := list.Get(tx, id)
		if err != nil {
			return nil, nil, err
		}
		if role == list.RoleNonmember || !l.Removed.IsZero() {
			continue
		}
		m, err := list.GetMember(tx, id, role, addr)
		return m, l, err
	}
	return nil, nil, nil
}
