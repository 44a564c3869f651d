package web

import (
	"context"
	"fmt"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// usage is what a list takes of the machine.
func (s *site) usage(ctx context.Context, lang string, l *list.List) ([]templates.Fact, error) {
	var archived int64
	for _, length := range s.DB.Blobs.All("archive/" + string(l.ID) + "/") {
		archived += max(0, length)
	}
	var day, month int
	now := time.Now()
	since := now.AddDate(0, 0, -30)
	var last uint64
	err := s.DB.View(ctx, func(tx *storage.Tx) (err error) {
		day, month = 0, 0
		for p := range list.PostsAfter(tx, list.PostID(storage.NewID(since))) {
			if p.List != l.ID || p.Number == 0 {
				continue
			}
			if month++; now.Sub(p.Received) < 24*time.Hour {
				day++
			}
		}
		last, err = list.LastNumber(tx, l.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	fact := func(name string, value any) templates.Fact {
		return templates.Fact{Name: s.Templates.T(lang, "site-list.usage."+name), Value: fmt.Sprint(value)}
	}
	return []templates.Fact{fact("archive", size(archived)), fact("day", day), fact("month", month), fact("posts", last)}, nil
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d KB", (n+1023)/1024)
	case n < 1<<30:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
}
