package subscribe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// limit says how many mails there may be in any time of that length, and how long after one the next may come.
type limit struct {
	most   int
	within time.Duration
	gap    time.Duration
}

var (
	perAddress = limit{most: 3, within: 24 * time.Hour, gap: 15 * time.Minute}
	// What follows counts mails that were asked for without authentication, so that nobody can use up the room of those who are.
	perDomain = limit{most: 60, within: time.Hour}
	perList   = limit{most: 200, within: time.Hour}
	perSite   = limit{most: 500, within: time.Hour}

	// invitations are those that the owners of a list send. They are known, so that nobody else's room is used up.
	invitations = limit{most: 1000, within: 24 * time.Hour}

	// ownersNotices is how many comings and goings the owners of a list are told.
	ownersNotices = limit{most: 200, within: 24 * time.Hour}

	// signIns and siteSignIns are mails with a link that signs in. Only addresses that are known here get them.
	signIns     = limit{most: 10, within: 24 * time.Hour, gap: time.Minute}
	siteSignIns = limit{most: 1000, within: time.Hour}

	answers         = limit{most: 10, within: 24 * time.Hour}
	verifiedAnswers = limit{most: 100, within: 24 * time.Hour}
)

// longest is the longest of the times above; what is older counts no more.
const longest = 24 * time.Hour

// sent holds the times (Unix seconds) of mails, oldest first, by what they count for.
var sent = storage.NewTable[string, []int64]("mails_sent", storage.Strings[string]())

// room reports whether one more mail is within a limit.
func room(tx *storage.Tx, key string, l limit, now time.Time) (bool, error) {
	times, err := sent.Get(tx, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return false, err
	}
	recent := 0
	for _, t := range times {
		age := now.Sub(time.Unix(t, 0))
		if age < l.gap {
			return false, nil
		}
		if age < l.within {
			recent++
		}
	}
	return recent < l.most, nil
}

// count notes a mail.
func count(tx *storage.Tx, key string, l limit, now time.Time) error {
	times, err := sent.Get(tx, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	times = append(slices.DeleteFunc(times, func(t int64) bool { return now.Sub(time.Unix(t, 0)) >= l.within }), now.Unix())
	return sent.Put(tx, key, times)
}

// counter is a limit and what it counts.
type counter struct {
	key string
	limit
}

// shared are the limits that mails to an address share with others, where they were not asked for with authentication.
func shared(l *list.List, to address.Address) []counter {
	return []counter{{"domain " + to.ASCIIDomain(), perDomain}, {"list " + string(l.ID), perList}, {"site", perSite}}
}

// spend reports whether one more mail is within all the limits, and counts it if so.
func spend(tx *storage.Tx, counters []counter, now time.Time) (bool, error) {
	for _, c := range counters {
		if ok, err := room(tx, c.key, c.limit, now); err != nil || !ok {
			return false, err
		}
	}
	for _, c := range counters {
		if err := count(tx, c.key, c.limit, now); err != nil {
			return false, err
		}
	}
	return true, nil
}

// allow reports whether a confirmation may be mailed, and counts it if so.
func allow(tx *storage.Tx, r Request) (bool, error) {
	counters := []counter{{"address " + r.Address.Key(), perAddress}}
	if !r.Verified && r.By == "" {
		counters = append(counters, shared(r.List, r.Address)...)
	}
	return spend(tx, counters, r.Now)
}

// MayAnswer reports whether somebody may get one more answer to a mail today, and counts it if so: ten, or a hundred where the
// request is verified. Who wants no mail that others ask for gets none to a request that is not.
func MayAnswer(tx *storage.Tx, r Request, to address.Address) (bool, error) {
	key := "answer " + to.Key()
	if r.Verified {
		return spend(tx, []counter{{key, verifiedAnswers}}, r.Now)
	}
	if blocked(tx, to) {
		return false, nil
	}
	return spend(tx, append(shared(r.List, to), counter{key, answers}), r.Now)
}

// MaySignIn reports whether a link that signs in may be mailed to an address, and counts it if so. What is asked for addresses that are
// not known here is counted too, and takes nothing from the others' room.
func MaySignIn(tx *storage.Tx, to address.Address, known bool, now time.Time) (bool, error) {
	counters := []counter{{"login " + to.Key(), signIns}}
	if known {
		counters = append(counters, counter{"site login", siteSignIns})
	}
	return spend(tx, counters, now)
}

// atOnce is how much one transaction forgets.
const atOnce = 1000

// Expire forgets requests and sessions whose time is over, and counts that no longer limit anything. None of the three holds up the others.
func (w *Workflow) Expire(ctx context.Context, now time.Time) error {
	return errors.Join(w.expire(ctx, now, "requests", list.ForgetPending), w.expire(ctx, now, "sessions", list.ForgetSessions), w.expireCounts(ctx, now))
}

func (w *Workflow) expire(ctx context.Context, now time.Time, what string, forget func(*storage.Tx, time.Time, int) (int, error)) error {
	for n := atOnce; n == atOnce; {
		err := w.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = forget(tx, now, atOnce)
			return err
		})
		if err != nil {
			return fmt.Errorf("expire %s: %w", what, err)
		}
	}
	return nil
}

func (w *Workflow) expireCounts(ctx context.Context, now time.Time) error {
	var after *string
	for done := false; !done; {
		err := w.DB.Update(ctx, func(tx *storage.Tx) error {
			n := 0
			for key, times := range sent.Scan(tx, storage.Range[string]{After: after}) {
				if n++; n > atOnce {
					return nil
				}
				after = &key
				if len(times) > 0 && now.Sub(time.Unix(times[len(times)-1], 0)) < longest {
					continue
				}
				if err := sent.Delete(tx, key); err != nil {
					return err
				}
			}
			done = true
			return nil
		})
		if err != nil {
			return fmt.Errorf("expire counts of mails: %w", err)
		}
	}
	return nil
}
