package subscribe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Full reports whether a list has as many members as it may. Everybody who joins is asked about here, or, of many at once, by list.Site.Room.
func (w *Workflow) Full(tx *storage.Tx, l *list.List) (bool, error) {
	room, err := w.Site.Room(tx, l)
	return room == 0, err
}

// noRoom is what becomes of a request to a list that is full. The owners hear of it.
func (w *Workflow) noRoom(tx *storage.Tx, l *list.List) (Result, error) {
	return Result{State: NoRoom, List: l}, list.TurnedAway(tx, l.ID, list.QuotaMembers, 1)
}

// TellNoRoom mails who asked by mail that the list is full, as long as that does not become too many.
func (w *Workflow) TellNoRoom(tx *storage.Tx, r Request) (Result, error) {
	return w.tell(tx, r, NoRoom, "no-room")
}

// TellQuotas mails the owners of lists, and the site's administrator, which quotas are nearly used up, and the owners which have turned
// somebody away.
func (w *Workflow) TellQuotas(ctx context.Context, now time.Time) error {
	var all []list.ID
	err := w.DB.View(ctx, func(tx *storage.Tx) error {
		all = slices.Collect(list.IDs(tx))
		return nil
	})
	errs := []error{err}
	for _, id := range all {
		limited := false
		err := w.DB.View(ctx, func(tx *storage.Tx) error {
			l, err := list.Get(tx, id)
			limited = err == nil && l.Removed.IsZero() && w.Site.Quotas.Of(l) != (list.Quotas{})
			return err
		})
		if limited {
			_, err = w.Do(ctx, func(tx *storage.Tx) (Result, error) { return w.tellQuotas(tx, id, now) })
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("tell of the quotas of %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (w *Workflow) tellQuotas(tx *storage.Tx, id list.ID, now time.Time) (res Result, err error) {
	l, err := list.Get(tx, id)
	if err != nil {
		return res, err
	}
	news, err := w.Site.TakeQuotaNews(tx, l, now)
	if err != nil || len(news) == 0 {
		return res, err
	}
	warning := false
	for _, n := range news {
		warning = warning || n.Turned == 0
	}
	told := map[string]bool{}
	for _, m := range list.Members(tx, l.ID, list.RoleOwner, "") {
		told[m.Address.Key()] = true
		if err := w.quotaLetter(tx, &res, l, m.Address, l.LanguageOf(m), news); err != nil {
			return res, err
		}
	}
	if warning && !told[w.Site.Admin.Key()] {
		err = w.quotaLetter(tx, &res, l, w.Site.Admin, w.Site.Language, news)
	}
	return res, err
}

func (w *Workflow) quotaLetter(tx *storage.Tx, res *Result, l *list.List, to address.Address, lang string, news []list.QuotaNews) error {
	var entries strings.Builder
	for _, n := range news {
		key := "quota.mail-near."
		used, most := n.Words()
		if n.Turned > 0 {
			key = "quota.mail-full."
		}
		entries.WriteString("- " + w.Templates.T(lang, key+string(n.Quota), "used", used, "most", most, "n", n.Turned) + "\n")
	}
	mail, err := w.Letter(tx, Letter{List: l, To: to, Lang: lang, Name: "quota", Unasked: true, Args: map[string]string{
		"entries": entries.String(),
		"admin":   w.Site.Admin.String(),
	}})
	res.Mails = append(res.Mails, mail)
	return err
}
