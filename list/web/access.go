package web

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// access is the archive.Access of the site: it knows lists and sessions.
type access struct{ *site }

// Archive implements archive.Access.
func (a access) Archive(r *http.Request, name string) (info archive.Info, err error) {
	f := templates.FrameOf(r.Context())
	err = a.DB.View(r.Context(), func(tx *storage.Tx) error {
		l, err := list.ByName(tx, name)
		if errors.Is(err, list.ErrNoList) {
			return storage.ErrNotFound
		}
		if err != nil {
			return err
		}
		info = a.info(l, f.Lang)
		info.Decides = actorOf(r.Context()).may(tx, l, list.RoleModerator)
		switch {
		case l.Settings.ArchivePolicy == list.ArchiveNever:
			return storage.ErrNotFound
		case !mayRead(tx, l, f):
			return archive.ErrForbidden
		}
		return nil
	})
	return info, err
}

// Archives implements archive.Access.
func (a access) Archives(r *http.Request) ([]archive.Info, error) {
	f := templates.FrameOf(r.Context())
	var infos []archive.Info
	err := a.DB.View(r.Context(), func(tx *storage.Tx) error {
		for l := range shownTo(tx, f.User) {
			if mayRead(tx, l, f) {
				infos = append(infos, a.info(l, f.Lang))
			}
		}
		return nil
	})
	return infos, err
}

func (s *site) info(l *list.List, lang string) archive.Info {
	return archive.Info{
		ID:          string(l.ID),
		Name:        l.Name,
		Title:       l.Title(),
		Address:     l.Address.String(),
		Description: l.Settings.Description.In(lang),
		Language:    l.Settings.PreferredLanguage,
		Public:      l.Settings.ArchivePolicy == list.ArchivePublic,
		Noindex:     l.Settings.ArchivePolicy != list.ArchivePublic || l.Settings.Noindex,
		Withdraw:    l.Settings.WithdrawWindow(),
		Advertised:  l.Settings.Advertised,
		Closed:      !l.Removed.IsZero(),
	}
}

// mayRead reports whether the reader may read the list's archive. The operator, who exports pages, may.
func mayRead(tx *storage.Tx, l *list.List, f templates.Frame) bool {
	addr, _ := address.Parse(f.User) // what is no address is a stranger
	return list.MayRead(tx, l, addr) || f.Static && l.Settings.ArchivePolicy != list.ArchiveNever
}

// belongs reports whether the user is a member, moderator or owner of the list.
func belongs(tx *storage.Tx, l *list.List, user string) bool {
	addr, err := address.Parse(user)
	if err != nil {
		return false
	}
	for id, role := range list.Memberships(tx, addr) {
		if id == l.ID && role != list.RoleNonmember {
			return true
		}
	}
	return false
}

// shownTo yields the advertised lists and those that the user belongs to.
func shownTo(tx *storage.Tx, user string) iter.Seq[*list.List] {
	return func(yield func(*list.List) bool) {
		for l := range list.All(tx) {
			if (l.Settings.Advertised || belongs(tx, l, user)) && !yield(l) {
				return
			}
		}
	}
}

// byName returns the list of that name or address for a page.
func (s *site) byName(ctx context.Context, name string) (l *list.List, err error) {
	err = s.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = list.ByName(tx, name)
		return err
	})
	return l, err
}
