package list

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"kairan/archive"
	"kairan/storage"
)

// What [HealthOf] looks back on.
const (
	HealthMonths = 13 // of growth and posts
	HealthDays   = 42 // of deliveries and bounces
	HealthWeeks  = 13 // of moderation
)

// Health is how a list is doing, in numbers that were counted as things happened. Times are the site's.
type Health struct {
	Members int            `json:"members"`
	Off     map[string]int `json:"off"`             // members who get no mail, by who switched it off
	Since   string         `json:"since,omitempty"` // the first day that was counted, "" for none
	Months  []HealthMonth  `json:"months"`          // the oldest first, as all below
	Days    []HealthDay    `json:"days"`
	Weeks   []HealthWeek   `json:"weeks"`
	// Providers and bounces of these days, the most first.
	Providers []HealthProvider `json:"providers"`
	Bounces   []HealthBounce   `json:"bounces"`
}

// HealthMonth is a month: members who came and went, how many there were at its end, and the posts in the archive.
type HealthMonth struct {
	Month   string `json:"month"` // "2026-01"
	Joined  int    `json:"joined"`
	Left    int    `json:"left"`
	Members int    `json:"members"`
	Posts   int    `json:"posts"`
}

// HealthDay is a day: attempts to deliver copies, and what came back.
type HealthDay struct {
	Day string `json:"day"` // "2026-01-05"
	Attempts
	Bounces int `json:"bounces"`
}

// HealthWeek is a week, which begins with that day: what became of posts.
type HealthWeek struct {
	From      string `json:"from"`
	Accepted  int    `json:"accepted"` // by the rules
	Held      int    `json:"held"`
	Refused   int    `json:"refused"`  // by the rules
	Approved  int    `json:"approved"` // of the held ones, as the next two
	Rejected  int    `json:"rejected"`
	Discarded int    `json:"discarded"`
}

// HealthProvider is attempts to deliver to one provider.
type HealthProvider struct {
	Name string `json:"name"` // "" for all others
	Attempts
}

// HealthBounce is how often something came back for a reason.
type HealthBounce struct {
	Class string `json:"class"` // dsn.Class
	N     int    `json:"n"`
}

// HealthOf adds up what was counted of a list until now, whose location is the site's. It reads a row for each day and month, and no
// member, post or copy.
func HealthOf(tx *storage.Tx, l *List, now time.Time) (*Health, error) {
	n, err := CountMembers(tx, l.ID, RoleMember)
	if err != nil {
		return nil, err
	}
	h := &Health{Members: n, Off: map[string]int{}}
	for s, n := range CountOff(tx, l.ID) {
		h.Off[string(s)] = n
	}
	counted := map[string]Tally{}
	first := monthsAgo(now, HealthMonths-1)
	for day, t := range Tallies(tx, l.ID, "") {
		h.Since = cmp.Or(h.Since, day)
		if day >= first.Format(time.DateOnly) {
			counted[day] = t
		}
	}
	h.months(tx, l, counted, now)
	h.days(counted, now)
	h.weeks(counted, now)
	return h, nil
}

// monthsAgo is the first day of the month n months before.
func monthsAgo(now time.Time, n int) time.Time {
	return time.Date(now.Year(), now.Month()-time.Month(n), 1, 0, 0, 0, 0, now.Location())
}

func (h *Health) months(tx *storage.Tx, l *List, counted map[string]Tally, now time.Time) {
	at := map[string]int{}
	for i := range HealthMonths {
		month := monthsAgo(now, HealthMonths-1-i).Format("2006-01")
		at[month] = i
		h.Months = append(h.Months, HealthMonth{Month: month})
	}
	for day, t := range counted {
		if i, ok := at[day[:len("2006-01")]]; ok {
			h.Months[i].Joined += t.Joined
			h.Months[i].Left += t.Left
		}
	}
	for mo := range archive.Months(tx, string(l.ID)) {
		i, ok := at[mo.Month]
		if !ok && mo.Month < h.Months[0].Month {
			break
		}
		if ok {
			h.Months[i].Posts = mo.Messages
		}
	}
	members := h.Members
	for i := range slices.Backward(h.Months) {
		h.Months[i].Members = max(0, members)
		members -= h.Months[i].Joined - h.Months[i].Left
	}
}

func (h *Health) days(counted map[string]Tally, now time.Time) {
	providers, bounces := map[string]Attempts{}, map[string]int{}
	for i := range HealthDays {
		row := HealthDay{Day: now.AddDate(0, 0, i-HealthDays+1).Format(time.DateOnly)}
		t := counted[row.Day]
		for name, a := range t.Providers {
			row.Attempts = row.Attempts.Plus(a)
			providers[name] = providers[name].Plus(a)
		}
		for class, n := range t.Bounces {
			row.Bounces += n
			bounces[class] += n
		}
		h.Days = append(h.Days, row)
	}
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		h.Providers = append(h.Providers, HealthProvider{name, providers[name]})
	}
	slices.SortStableFunc(h.Providers, func(a, b HealthProvider) int { return cmp.Compare(b.All(), a.All()) })
	for _, class := range slices.Sorted(maps.Keys(bounces)) {
		h.Bounces = append(h.Bounces, HealthBounce{class, bounces[class]})
	}
	slices.SortStableFunc(h.Bounces, func(a, b HealthBounce) int { return cmp.Compare(b.N, a.N) })
}

// weeks end with the current one. They begin on Mondays.
func (h *Health) weeks(counted map[string]Tally, now time.Time) {
	monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7)
	for i := range HealthWeeks {
		from := monday.AddDate(0, 0, -7*(HealthWeeks-1-i))
		row := HealthWeek{From: from.Format(time.DateOnly)}
		for d := range 7 {
			t := counted[from.AddDate(0, 0, d).Format(time.DateOnly)]
			row.Accepted += t.Accepted
			row.Held += t.Held
			row.Refused += t.Refused
			row.Approved += t.Approved
			row.Rejected += t.Rejected
			row.Discarded += t.Discarded
		}
		h.Weeks = append(h.Weeks, row)
	}
}
