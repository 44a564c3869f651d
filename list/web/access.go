package web

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// access is the archive.Access of the site: it knows lists and sessions.
type access struct{ *site }

// Archive implements archive.Access.
func (a access) Archive(r *http.Request, name string) (info archive.Info, err error) {
	f, who := templates.FrameOf(r.Context()), actorOf(r.Context())
	err = a.DB.View(r.Context(), func(tx *storage.Tx) error {
		l, err := list.ByName(tx, name)
		if errors.Is(err, list.ErrNoList) {
			return storage.ErrNotFound
		}
		if err != nil {
			return err
		}
		info = a.info(l, f.Lang)
		info.Reader = addressTexts(who)
		info.Decides = who.may(tx, l, list.RoleModerator)
		switch {
		case l.Settings.ArchivePolicy == list.ArchiveNever:
			return storage.ErrNotFound
		case !mayRead(tx, l, who, f):
			return archive.ErrForbidden
		}
		return nil
	})
	return info, err
}

// Archives implements archive.Access.
func (a access) Archives(r *http.Request) ([]archive.Info, error) {
	f, who := templates.FrameOf(r.Context()), actorOf(r.Context())
	var infos []archive.Info
	err := a.DB.View(r.Context(), func(tx *storage.Tx) error {
		for l := range shownTo(tx, who) {
			if mayRead(tx, l, who, f) {
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
func mayRead(tx *storage.Tx, l *list.List, a actor, f templates.Frame) bool {
	return a.mayRead(tx, l) || f.Static && l.Settings.ArchivePolicy != list.ArchiveNever
}

// shownTo yields the advertised lists and those that the actor belongs to.
func shownTo(tx *storage.Tx, a actor) iter.Seq[*list.List] {
	return func(yield func(*list.List) bool) {
		for l := range list.All(tx) {
			belongs := a.signedIn() && a.person.Is(tx, l.ID, list.RoleMember, list.RoleModerator, list.RoleOwner)
			if (l.Settings.Advertised || belongs) && !yield(l) {
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
