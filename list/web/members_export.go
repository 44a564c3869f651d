package web

import (
	"encoding/csv"
	"net/http"

	"kairan/list"
)

// exportMembers is the members file of a list, or that of its nonmembers, as a download. It is written while it is read, a page a transaction.
func (s *site) exportMembers(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	role := roleOf(r)
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+l.Address.Local()+`-`+string(role)+`s.csv"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write([]byte("\ufeff")) // without it spreadsheets in Japan read Shift_JIS
	c := csv.NewWriter(w)
	c.Write(list.RosterColumns())
	err := list.EachMember(r.Context(), s.DB, l.ID, role, func(m *list.Member) error {
		c.Write(m.RosterRow())
		return c.Error()
	})
	c.Flush()
	if err != nil { // a part of it is out: the reader must not take it for the whole
		s.Log.Error("export of members", "list", l.Address.String(), "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
