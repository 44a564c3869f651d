package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// providersShown is how many rows the table of providers has; the others are one row.
const providersShown = 12

// health shows how a list is doing.
func (s *site) health(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	lang := templates.FrameOf(r.Context()).Lang
	now := time.Now().In(s.Site.Location)
	var h *list.Health
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		h, err = list.HealthOf(tx, l, now)
		return err
	})
	if err != nil {
		return err
	}
	off := 0
	for _, n := range h.Off {
		off += n
	}
	view := templates.Health{
		Members: templates.Number(h.Members), Off: templates.Number(off),
		Growth: s.growthChart(lang, h), Posts: s.postsChart(lang, h), Deliveries: s.deliveryChart(lang, h), Moderation: s.moderationChart(lang, h),
		Providers: s.providerShares(lang, h), Bounces: s.bounceShares(lang, h), OffReasons: s.offShares(lang, h),
	}
	if since, err := time.ParseInLocation(time.DateOnly, h.Since, s.Site.Location); err == nil && h.Since > h.Months[0].Month+"-01" {
		view.Since = templates.NewDate(lang, since).Human
	}
	return s.adminPage(w, r, l, "health", templates.Reply{Page: "health", View: view})
}

// words are words of the page.
func (s *site) healthWords(lang string, keys ...string) (all []string) {
	for _, key := range keys {
		all = append(all, s.Templates.T(lang, "health."+key))
	}
	return all
}

// numbers are the cells of a row.
func numbers(label string, values ...int) []string {
	row := []string{label}
	for _, v := range values {
		row = append(row, templates.Number(v))
	}
	return row
}

func (s *site) growthChart(lang string, h *list.Health) *templates.Chart {
	c := s.chart(lang, "growth", "joined", "left")
	c.Down, c.Heads = true, s.healthWords(lang, "month", "joined", "left", "members-then")
	for _, m := range h.Months {
		c.Columns = append(c.Columns, templates.ChartColumn{Label: m.Month, Values: []int{m.Joined, m.Left}})
		c.Rows = append(c.Rows, numbers(m.Month, m.Joined, m.Left, m.Members))
	}
	return c
}

func (s *site) postsChart(lang string, h *list.Health) *templates.Chart {
	c := s.chart(lang, "posts", "posts-n")
	c.Heads = s.healthWords(lang, "month", "posts-n")
	for _, m := range h.Months {
		c.Columns = append(c.Columns, templates.ChartColumn{Label: m.Month, Values: []int{m.Posts}})
		c.Rows = append(c.Rows, numbers(m.Month, m.Posts))
	}
	return c
}

func (s *site) deliveryChart(lang string, h *list.Health) *templates.Chart {
	c := s.chart(lang, "deliveries", "accepted", "deferred", "refused")
	c.Heads = s.healthWords(lang, "day", "accepted", "deferred", "refused", "errors")
	for _, d := range h.Days {
		c.Columns = append(c.Columns, templates.ChartColumn{Label: d.Day, Values: []int{d.Accepted, d.Deferred, d.Refused}})
		c.Rows = append(c.Rows, numbers(d.Day, d.Accepted, d.Deferred, d.Refused, d.Bounces))
	}
	return c
}

func (s *site) moderationChart(lang string, h *list.Health) *templates.Chart {
	c := s.chart(lang, "moderation", "approved", "rejected", "discarded")
	c.Heads = s.healthWords(lang, "week", "passed", "ruled-out", "held", "approved", "rejected", "discarded")
	for _, w := range h.Weeks {
		c.Columns = append(c.Columns, templates.ChartColumn{Label: w.From, Values: []int{w.Approved, w.Rejected, w.Discarded}})
		c.Rows = append(c.Rows, numbers(w.From, w.Accepted, w.Refused, w.Held, w.Approved, w.Rejected, w.Discarded))
	}
	return c
}

// chart is one without numbers.
func (s *site) chart(lang, id string, series ...string) *templates.Chart {
	return &templates.Chart{
		ID: id, Title: s.Templates.T(lang, "health."+id), Desc: s.Templates.T(lang, "health.desc-"+id), Series: s.healthWords(lang, series...),
	}
}

func (s *site) providerShares(lang string, h *list.Health) templates.Shares {
	t := templates.Shares{
		Caption: s.Templates.T(lang, "health.providers"), Heads: s.healthWords(lang, "provider", "accepted", "deferred", "refused"), None: s.Templates.T(lang, "health.nothing"),
	}
	most, others := 1, list.Attempts{}
	for _, p := range h.Providers {
		most = max(most, p.All())
	}
	add := func(label string, a list.Attempts) {
		t.Rows = append(t.Rows, templates.Share{Label: label, Cells: numbers("", a.Accepted, a.Deferred, a.Refused)[1:], Width: 100 * a.All() / most})
	}
	for _, p := range h.Providers {
		switch {
		case p.Name == "" || len(t.Rows) == providersShown:
			others = others.Plus(p.Attempts)
		case strings.Contains(p.Name, "."):
			add(p.Name, p.Attempts)
		default:
			add(s.Templates.T(lang, "provider."+p.Name), p.Attempts)
		}
	}
	if others.All() > 0 {
		add(s.Templates.T(lang, "receipt.others"), others)
	}
	return t
}

func (s *site) bounceShares(lang string, h *list.Health) templates.Shares {
	t := templates.Shares{Caption: s.Templates.T(lang, "health.bounces"), Heads: s.healthWords(lang, "class", "bounces-n"), None: s.Templates.T(lang, "health.no-bounces")}
	most := 1
	for _, b := range h.Bounces {
		most = max(most, b.N)
		t.Rows = append(t.Rows, templates.Share{Label: s.Templates.T(lang, "health.class-"+b.Class), Cells: []string{templates.Number(b.N)}, Width: 100 * b.N / most})
	}
	return t
}

func (s *site) offShares(lang string, h *list.Health) templates.Shares {
	t := templates.Shares{Caption: s.Templates.T(lang, "health.off-reasons"), Heads: s.healthWords(lang, "reason", "members"), None: s.Templates.T(lang, "health.none-off")}
	most := 1
	for _, by := range []list.DeliveryStatus{list.DeliveryByUser, list.DeliveryByBounces, list.DeliveryByModerator} {
		if n := h.Off[string(by)]; n > 0 {
			most = max(most, n)
			t.Rows = append(t.Rows, templates.Share{Label: s.Templates.T(lang, "health.off-"+string(by)), Cells: []string{templates.Number(n)}, Width: n})
		}
	}
	for i := range t.Rows {
		t.Rows[i].Width = 100 * t.Rows[i].Width / most
	}
	slices.SortStableFunc(t.Rows, func(a, b templates.Share) int { return cmp.Compare(b.Width, a.Width) })
	return t
}
