package main

import (
	"testing"
	"time"
)

// TestDemoThreads reads what the community wrote: two months, ending yesterday.
func TestDemoThreads(t *testing.T) {
	t.Parallel()
	people, err := readPeople()
	if err != nil {
		t.Fatal(err)
	}
	if len(people) != 50 {
		t.Errorf("%d people, want 50", len(people))
	}
	today := time.Date(2026, 3, 1, 0, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	posts, threads, deepest := 0, 0, 0
	ids := map[string]bool{}
	for _, c := range communities() {
		stories, err := readThreads(c.threads, people, today)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, s := range stories {
			posts++
			if s.parent == nil {
				threads++
			} else if !s.at.After(s.parent.at) {
				t.Errorf("%s answers %s before it was written", s.id, s.parent.id)
			}
			deepest = max(deepest, len(s.chain()))
			if ids[s.id] {
				t.Errorf("the Message-ID %s is there twice", s.id)
			}
			ids[s.id] = true
			if age := today.Sub(s.at); age <= 0 || age > 61*24*time.Hour {
				t.Errorf("%s is from %s", s.id, s.at)
			}
		}
	}
	if threads < 40 || posts < 180 || deepest < 8 {
		t.Errorf("%d threads, %d posts, %d answers deep", threads, posts, deepest)
	}
	t.Logf("%d threads, %d posts, %d answers deep", threads, posts, deepest)
}
