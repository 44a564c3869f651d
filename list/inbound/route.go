package inbound

import (
	"errors"
	"strings"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// role is what an address is for.
type role string

const (
	rolePost    role = "post"
	roleJoin    role = "join"
	roleLeave   role = "leave"
	roleConfirm role = "confirm"
	roleRequest role = "request"
	roleOwner   role = "owner"
	roleBounces role = "bounces"
	roleAdmin   role = "admin" // postmaster and abuse: the site's administrator
)

// suffixes are the words that make a role of a list's address.
var suffixes = map[string]role{
	"leave":       roleLeave,
	"unsubscribe": roleLeave,
	"owner":       roleOwner,
	"request":     roleRequest, // commands, as RFC 2142, section 6 allows
	"join":        roleJoin,
	"subscribe":   roleJoin,
	"confirm":     roleConfirm,
	"bounces":     roleBounces,
}

// route is where mail to an address goes.
type route struct {
	to    address.Address
	role  role
	list  *list.List // nil for roleAdmin
	token string     // after "+"
}

// errUnknown says that nobody is behind an address.
var errUnknown = errors.New("no such address")

// find returns the route of an address, or errUnknown.
func (h *Handler) find(tx *storage.Tx, to address.Address) (route, error) {
	r := route{to: to}
	l, err := list.ByAddress(tx, to)
	if err == nil {
		r.role, r.list = rolePost, l
		return r, nil
	}
	if !errors.Is(err, list.ErrNoList) {
		return r, err
	}
	local := strings.ToLower(to.Local())
	if local == "postmaster" || local == "abuse" {
		r.role = roleAdmin
		return r, h.ourDomain(tx, to.ASCIIDomain())
	}
	name, token, _ := strings.Cut(local, "+")
	i := strings.LastIndexByte(name, '-')
	if i < 0 || suffixes[name[i+1:]] == "" {
		return r, errUnknown
	}
	base, err := address.New(name[:i], to.Domain())
	if err != nil {
		return r, errUnknown
	}
	r.role, r.token = suffixes[name[i+1:]], token
	if r.list, err = list.ByAddress(tx, base); errors.Is(err, list.ErrNoList) {
		return r, errUnknown
	}
	return r, err
}

// ourDomain returns errUnknown for a domain that is neither our own nor that of a list.
func (h *Handler) ourDomain(tx *storage.Tx, domain string) error {
	if strings.EqualFold(domain, h.Site.Hostname) || strings.EqualFold(domain, h.Site.Admin.ASCIIDomain()) {
		return nil
	}
	for l := range list.All(tx) {
		if l.Address.ASCIIDomain() == domain {
			return nil
		}
	}
	return errUnknown
}
