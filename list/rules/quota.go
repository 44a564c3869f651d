package rules

import (
	"fmt"

	"kairan/list"
)

// postsPerDay and archiveFull hold what is beyond the list's quotas, whoever wrote it: a program that runs wild is stopped by the first, and
// nothing is lost by either. A moderator who lets a post through knows why it waited.

func postsPerDay(q *question) (list.Action, string) {
	if most := q.site.Quotas.Of(q.l).Posts; most > 0 && q.f.Today >= most {
		return list.Hold, fmt.Sprintf("%d of %d", q.f.Today, most)
	}
	return "", ""
}

func archiveFull(q *question) (list.Action, string) {
	if most := q.site.Quotas.Of(q.l); most.Archive > 0 && q.f.Archived >= most.ArchiveBytes() {
		return list.Hold, fmt.Sprintf("%d of %d MB", q.f.Archived>>20, most.Archive)
	}
	return "", ""
}

// QuotaOf returns the quota that a rule of that name speaks for.
func QuotaOf(rule string) (q list.Quota, ok bool) {
	switch rule {
	case "posts-per-day":
		return list.QuotaPosts, true
	case "archive-full":
		return list.QuotaArchive, true
	}
	return "", false
}
