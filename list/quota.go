package list

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

// Quota is the name of a setting that bounds what a list may take of the site. Only the site's administrator changes it.
type Quota string

const (
	QuotaMembers Quota = "max_members"       // members
	QuotaPosts   Quota = "max_posts_per_day" // posts that go out on one day of the site's time zone
	QuotaArchive Quota = "max_archive_size"  // megabytes of the archive's files
)

// Quotas are the values of all of them; 0 is without a limit.
type Quotas struct {
	Members, Posts, Archive int
}

// Of returns those that hold for a list: its own where it has one, else these.
func (q Quotas) Of(l *List) Quotas {
	s := &l.Settings
	return Quotas{cmp.Or(s.MaxMembers, q.Members), cmp.Or(s.MaxPostsPerDay, q.Posts), cmp.Or(s.MaxArchiveSize, q.Archive)}
}

// ArchiveBytes is Archive in bytes.
func (q Quotas) ArchiveBytes() int64 { return int64(q.Archive) << 20 }

// ErrAdminOnly says that a setting is for the site's administrator to change.
var ErrAdminOnly = errors.New("only the site's administrator changes it")

// Usage is how much of a quota a list has taken. Most and Used are members, posts or bytes.
type Usage struct {
	Quota Quota `json:"quota"`
	Used  int64 `json:"used"`
	Most  int64 `json:"most"` // 0 is without a limit
}

// Full reports whether no more may come.
func (u Usage) Full() bool { return u.Most > 0 && u.Used >= u.Most }

// Near reports whether nine tenths are taken.
func (u Usage) Near() bool { return u.Most > 0 && u.Used*10 >= u.Most*9 }

// Words are Used and Most as people read them: numbers, of the archive sizes. Most is "" without a limit.
func (u Usage) Words() (used, most string) {
	say := func(n int64) string { return strconv.FormatInt(n, 10) }
	if u.Quota == QuotaArchive {
		say = templates.Size
	}
	if u.Most > 0 {
		most = say(u.Most)
	}
	return say(u.Used), most
}

// UsageOf returns what a list takes, quota by quota.
func (s *Site) UsageOf(tx *storage.Tx, l *List, now time.Time) ([]Usage, error) {
	q := s.Quotas.Of(l)
	members, err := CountMembers(tx, l.ID, RoleMember)
	if err != nil {
		return nil, err
	}
	posts, err := PostsToday(tx, l.ID, now.In(s.Location))
	if err != nil {
		return nil, err
	}
	return []Usage{
		{QuotaMembers, int64(members), int64(q.Members)},
		{QuotaPosts, int64(posts), int64(q.Posts)},
		{QuotaArchive, archive.Size(tx, string(l.ID)), q.ArchiveBytes()},
	}, nil
}

// Room returns how many may still join a list: all that there are where it has no quota of members.
func (s *Site) Room(tx *storage.Tx, l *List) (int, error) {
	most := s.Quotas.Of(l).Members
	if most == 0 {
		return math.MaxInt, nil
	}
	n, err := CountMembers(tx, l.ID, RoleMember)
	return max(0, most-n), err
}

// PostsToday returns how many posts of a list went out, or are about to, on the day of a moment, in the moment's own location:
// those that the rules accepted and those that a moderator did.
func PostsToday(tx *storage.Tx, l ID, now time.Time) (int, error) {
	t, err := tallies.Get(tx, storage.P(l, now.Format(time.DateOnly)))
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	return t.Accepted + t.Approved, err
}

// quotaKey is a list and one of its quotas.
type quotaKey = storage.Pair[ID, Quota]

// quotaState is what the owners of a list know about a quota.
type quotaState struct {
	Near   bool      `json:"near,omitempty"`   // nine tenths were taken when it was last looked at
	Warned time.Time `json:"warned,omitzero"`  // of that
	Turned int       `json:"turned,omitempty"` // people turned away or posts held since the owners were last told
	Told   time.Time `json:"told,omitzero"`    // that it is full
}

var quotaStates = storage.NewTable[quotaKey, quotaState]("quota_states", storage.Pairs(listID, storage.Strings[Quota]()))

func getQuotaState(tx *storage.Tx, k quotaKey) (quotaState, error) {
	st, err := quotaStates.Get(tx, k)
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return st, err
}

// TurnedAway notes that somebody could not join, or that a post was held, because of a quota: the owners are told.
func TurnedAway(tx *storage.Tx, l ID, q Quota, n int) error {
	st, err := getQuotaState(tx, storage.P(l, q))
	if err != nil || n == 0 {
		return err
	}
	st.Turned += n
	return quotaStates.Put(tx, storage.P(l, q), st)
}

const (
	quotaTellEvery = 24 * time.Hour      // between two mails about the same full quota
	quotaWarnEvery = 30 * 24 * time.Hour // between two warnings about the same quota
)

// QuotaNews is what people are to be told about a quota of a list.
type QuotaNews struct {
	Usage
	// Turned is how many were turned away, or held, since they were last told; 0 is a warning that it is nearly full.
	Turned int
}

// TakeQuotaNews returns what is to be told about a list, and notes that it was: that a quota turned somebody away once a day at most, and
// that nine tenths are taken when that comes about, once in thirty days at most.
func (s *Site) TakeQuotaNews(tx *storage.Tx, l *List, now time.Time) (news []QuotaNews, err error) {
	all, err := s.UsageOf(tx, l, now)
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		k := storage.P(l.ID, u.Quota)
		was, err := getQuotaState(tx, k)
		if err != nil {
			return nil, err
		}
		is := was
		is.Near = u.Near()
		switch {
		case u.Most == 0:
			is.Turned = 0
		case is.Turned > 0 && now.Sub(is.Told) >= quotaTellEvery:
			news = append(news, QuotaNews{u, is.Turned})
			is.Turned, is.Told, is.Warned = 0, now, now
		case is.Near && !was.Near && now.Sub(is.Warned) >= quotaWarnEvery:
			news = append(news, QuotaNews{u, 0})
			is.Warned = now
		}
		if is != was {
			if err := quotaStates.Put(tx, k, is); err != nil {
				return nil, err
			}
		}
	}
	return news, nil
}
