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

// allow reports whether a confirmation may be mailed, and counts it if so.
func allow(tx *storage.Tx, r Request) (bool, error) {
	type counter struct {
		key string
		limit
	}
	counters := []counter{{"address " + r.Address.Key(), perAddress}}
	if !r.Verified {
		counters = append(counters,
			counter{"domain " + r.Address.ASCIIDomain(), perDomain},
			counter{"list " + string(r.List.ID), perList},
			counter{"site", perSite})
	}
	for _, c := range counters {
		if ok, err := room(tx, c.key, c.limit, r.Now); err != nil || !ok {
			return false, err
		}
	}
	for _, c := range counters {
		if err := count(tx, c.key, c.limit, r.Now); err != nil {
			return false, err
		}
	}
	return true, nil
}

// MayAnswer reports whether somebody may get one more answer to a mail today, and counts it if so: ten, or a hundred if verified.
func MayAnswer(tx *storage.Tx, to address.Address, verified bool, now time.Time) (bool, error) {
	l := answers
	if verified {
		l = verifiedAnswers
	}
	key := "answer " + to.Key()
	if ok, err := room(tx, key, l, now); err != nil || !ok {
		return false, err
	}
	return true, count(tx, key, l, now)
}

// Expire forgets requests whose time is over, and counts that no longer limit anything.
func (w *Workflow) Expire(ctx context.Context, now time.Time) error {
	const chunk = 1000
	for n := chunk; n == chunk; {
		err := w.DB.Update(ctx, func(tx *storage.Tx) (err error) {
			n, err = list.ForgetPending(tx, now, chunk)
			return err
		})
		if err != nil {
			return fmt.Errorf("expire requests: %w", err)
		}
	}
	var after *string
	for done := false; !done; {
		err := w.DB.Update(ctx, func(tx *storage.Tx) error {
			n := 0
			for key, times := range sent.Scan(tx, storage.Range[string]{After: after}) {
				if n++; n > chunk {
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
