package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"kairan/storage"
)

// Edit says who changes the settings of a list, when and why.
type Edit struct {
	By  string // an address, or a part of the program
	Why string // "" when nothing was said
	At  time.Time
	// FallsBack is when the change is taken back by itself unless somebody confirms it before; zero is never.
	// It is for changes that may shut out who made them.
	FallsBack time.Time
	// Admin says that the site's administrator, or the operator, makes it: nobody else changes quotas.
	Admin bool
}

// Revision is one change of a list's settings, kept for ever. They are numbered from 1.
type Revision struct {
	Number  uint64          `json:"-"`
	At      time.Time       `json:"at"`
	By      string          `json:"by"`
	Why     string          `json:"why,omitempty"`
	Changes []SettingChange `json:"changes"`
	// FallsBack is when it is taken back unless confirmed; it is zero once that has happened.
	FallsBack time.Time `json:"falls_back,omitzero"`
	// Of is the revision that this one took back, 0 for none.
	Of uint64 `json:"of,omitempty"`
}

// SettingChange is one setting of a revision, with its values in JSON; a setting that is left out there is null.
type SettingChange struct {
	Name string          `json:"name"`
	Was  json.RawMessage `json:"was"`
	Is   json.RawMessage `json:"is"`
}

type revisionKey = storage.Pair[ID, uint64]

var (
	revisions   = storage.NewTable[revisionKey, Revision]("settings_revisions", storage.Pairs(listID, storage.Uints[uint64]()))
	unconfirmed = storage.NewTable[revisionKey, time.Time]("settings_unconfirmed", storage.Pairs(listID, storage.Uints[uint64]()))
)

var (
	// ErrNoRevision says that a list's settings have no revision of that number.
	ErrNoRevision = errors.New("no such revision")
	// ErrChangedSince says that a revision cannot be taken back as a whole.
	ErrChangedSince = errors.New("changed again since")
)

// Change replaces the settings of a list and keeps what was changed. It returns nil where nothing is different, and ErrAdminOnly for quotas that
// somebody else than the administrator would change.
func Change(tx *storage.Tx, id ID, s Settings, e Edit) (*Revision, error) {
	return change(tx, id, s, e, 0)
}

// change is Change, or with the number of a revision what takes that one back.
func change(tx *storage.Tx, id ID, s Settings, e Edit, of uint64) (*Revision, error) {
	r := Revision{At: e.At, By: e.By, Why: e.Why, FallsBack: e.FallsBack, Of: of}
	if err := s.Check(); err != nil {
		return nil, err
	}
	l, err := Get(tx, id)
	if err != nil {
		return nil, err
	}
	if r.Changes, err = Diff(&l.Settings, &s); err != nil || len(r.Changes) == 0 {
		return nil, err
	}
	if !e.Admin {
		if err := AdminOnly(r.Changes); err != nil {
			return nil, err
		}
	}
	for old := range Revisions(tx, id) {
		r.Number = old.Number
		break
	}
	r.Number++
	k := storage.P(id, r.Number)
	if !r.FallsBack.IsZero() {
		if err := unconfirmed.Put(tx, k, r.FallsBack); err != nil {
			return nil, err
		}
	}
	l.Settings = s
	return &r, errors.Join(
		lists.Put(tx, id, *l),
		revisions.Put(tx, k, r),
		indexRevision(tx, id, &r),
		Log(tx, id, r.event()),
	)
}

// event is the line of the list's log about it.
func (r *Revision) event() Event {
	return Event{At: r.At, Stage: "settings", Text: r.String(), By: r.By, Word: "settings.changed", Args: map[string]string{"n": fmt.Sprint(r.Number), "settings": r.names(), "why": r.Why}}
}

// String returns "revision 7: emergency, ban_list".
func (r *Revision) String() string {
	return fmt.Sprintf("revision %d: %s", r.Number, r.names())
}

func (r *Revision) names() string {
	var names []string
	for _, c := range r.Changes {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// Revisions yields the changes of a list's settings, the latest first.
func Revisions(tx *storage.Tx, id ID) iter.Seq[*Revision] {
	return func(yield func(*Revision) bool) {
		for k, r := range storage.UnderReverse(tx, revisions, listID, id) {
			r.Number = k.B
			if !yield(&r) {
				return
			}
		}
	}
}

// Changes yields the revisions that changed one setting, the latest first.
func Changes(tx *storage.Tx, id ID, setting string) iter.Seq2[*Revision, SettingChange] {
	return func(yield func(*Revision, SettingChange) bool) {
		for r := range Revisions(tx, id) {
			for _, c := range r.Changes {
				if c.Name == setting && !yield(r, c) {
					return
				}
			}
		}
	}
}

// GetRevision returns a change of a list's settings, or ErrNoRevision.
func GetRevision(tx *storage.Tx, id ID, n uint64) (*Revision, error) {
	r, err := revisions.Get(tx, storage.P(id, n))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("%d: %w", n, ErrNoRevision)
	}
	r.Number = n
	return &r, err
}

// TakeBack gives the settings of a revision their former values. It returns ErrChangedSince, and changes nothing, where
// one of them has another value by now than the revision gave it.
func TakeBack(tx *storage.Tx, id ID, n uint64, e Edit) (*Revision, error) {
	r, err := GetRevision(tx, id, n)
	if err != nil {
		return nil, err
	}
	back, err := takeBack(tx, r, id, e)
	if err == nil {
		err = confirm(tx, r, id) // nothing is left to fall back
	}
	return back, err
}

func takeBack(tx *storage.Tx, r *Revision, id ID, e Edit) (*Revision, error) {
	l, err := Get(tx, id)
	if err != nil {
		return nil, err
	}
	now, err := fields(&l.Settings)
	if err != nil {
		return nil, err
	}
	var since []string
	for _, c := range r.Changes {
		if !bytes.Equal(value(now, c.Name), c.Is) {
			since = append(since, c.Name)
		}
		now[c.Name] = c.Was
	}
	if len(since) > 0 {
		return nil, fmt.Errorf("%s: %w", strings.Join(since, ", "), ErrChangedSince)
	}
	s, err := settingsOf(now)
	if err != nil {
		return nil, err
	}
	return change(tx, id, s, e, r.Number)
}

// Confirm keeps a change that would fall back. It returns ErrNoRevision where none of that number waits for it.
func Confirm(tx *storage.Tx, id ID, n uint64, by string, now time.Time) error {
	r, err := GetRevision(tx, id, n)
	if err != nil {
		return err
	}
	if r.FallsBack.IsZero() {
		return fmt.Errorf("%d waits for no confirmation: %w", n, ErrNoRevision)
	}
	return errors.Join(
		confirm(tx, r, id),
		Log(tx, id, Event{At: now, Stage: "settings", Text: fmt.Sprintf("revision %d: confirmed", n), By: by, Word: "settings.confirmed", Args: map[string]string{"n": fmt.Sprint(n)}}),
	)
}

// confirm forgets that a revision falls back.
func confirm(tx *storage.Tx, r *Revision, id ID) error {
	r.FallsBack = time.Time{}
	k := storage.P(id, r.Number)
	return errors.Join(unconfirmed.Delete(tx, k), revisions.Put(tx, k, *r))
}

// Unconfirmed yields the revisions of a list that fall back unless they are confirmed, the oldest first.
func Unconfirmed(tx *storage.Tx, id ID) iter.Seq[*Revision] {
	return func(yield func(*Revision) bool) {
		for k := range storage.Under(tx, unconfirmed, listID, id) {
			if r, err := GetRevision(tx, id, k.B); err == nil && !yield(r) {
				return
			}
		}
	}
}

// FallsBackBy returns the lists with a change of settings that is due to be taken back.
func FallsBackBy(tx *storage.Tx, now time.Time) (due []ID) {
	for k, at := range unconfirmed.Scan(tx, storage.Range[revisionKey]{}) {
		if !now.Before(at) && !slices.Contains(due, k.A) {
			due = append(due, k.A)
		}
	}
	return due
}

// FallBack takes back the changes of a list's settings that nobody confirmed in time, the latest first. One that cannot be taken back as a
// whole, because somebody changed the same setting again, stays; the list's log says so.
func FallBack(tx *storage.Tx, id ID, now time.Time) error {
	var due []revisionKey
	for k, at := range storage.Under(tx, unconfirmed, listID, id) {
		if !now.Before(at) {
			due = append(due, k)
		}
	}
	for _, k := range slices.Backward(due) {
		e := Edit{At: now, By: ByTimer, Admin: true, Why: fmt.Sprintf(WhyUnconfirmed, k.B)}
		_, err := TakeBack(tx, k.A, k.B, e)
		if errors.Is(err, ErrChangedSince) {
			err = stays(tx, k, e, err)
		}
		if err != nil {
			return fmt.Errorf("revision %d of list %s falls back: %w", k.B, k.A, err)
		}
	}
	return nil
}

// stays ends the waiting of a revision that cannot fall back.
func stays(tx *storage.Tx, k revisionKey, e Edit, why error) error {
	r, err := GetRevision(tx, k.A, k.B)
	if err != nil {
		return err
	}
	return errors.Join(
		confirm(tx, r, k.A),
		Log(tx, k.A, Event{
			At: e.At, Stage: "settings", Text: fmt.Sprintf("%s, and stays all the same: %v", e.Why, why), By: e.By,
			Word: "settings.stays", Args: map[string]string{"n": fmt.Sprint(k.B), "settings": strings.TrimSuffix(why.Error(), ": "+ErrChangedSince.Error())},
		}),
	)
}

// Diff returns the settings that differ, by name.
func Diff(was, is *Settings) ([]SettingChange, error) {
	a, errA := fields(was)
	b, errB := fields(is)
	if err := errors.Join(errA, errB); err != nil {
		return nil, err
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	var changes []SettingChange
	for _, name := range slices.Compact(names) {
		if x, y := value(a, name), value(b, name); !bytes.Equal(x, y) {
			changes = append(changes, SettingChange{Name: name, Was: x, Is: y})
		}
	}
	return changes, nil
}

// fields returns the fields of a struct in JSON, by name, without those that JSON leaves out.
func fields(s any) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	m := map[string]json.RawMessage{}
	return m, json.Unmarshal(b, &m)
}

func value(m map[string]json.RawMessage, name string) json.RawMessage {
	if v, ok := m[name]; ok {
		return v
	}
	return json.RawMessage("null")
}

func settingsOf(m map[string]json.RawMessage) (s Settings, err error) {
	b, err := json.Marshal(m)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}
