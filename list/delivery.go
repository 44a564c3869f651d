package list

import (
	"errors"
	"iter"
	"time"

	"kairan/storage"
)

// Delivery is what became of some copies of a post at one moment. Copies with the same fate share a row.
type Delivery struct {
	At       time.Time `json:"at"`
	Status   string    `json:"status"` // delivered, deferred, failed, skipped
	Code     int       `json:"code,omitempty"`
	Enhanced string    `json:"enhanced,omitempty"`
	Text     string    `json:"text,omitempty"`
	Host     string    `json:"host,omitempty"`
	To       []string  `json:"to"` // address keys
}

var (
	deliveries = storage.NewTable[storage.Pair[PostID, string], Delivery]("deliveries", storage.Pairs(postID, text))
	counts     = storage.NewTable[PostID, map[string]int]("delivery_counts", postID)
)

// RecordDeliveries adds to what is known about a post's copies.
func RecordDeliveries(tx *storage.Tx, id PostID, ds []Delivery) error {
	c, err := counts.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) {
		c, err = map[string]int{}, nil
	}
	if err != nil {
		return err
	}
	for _, d := range ds {
		c[d.Status] += len(d.To)
		if err := deliveries.Put(tx, storage.P(id, storage.NewID(d.At)), d); err != nil {
			return err
		}
	}
	return counts.Put(tx, id, c)
}

// Deliveries yields what became of a post's copies, oldest first.
func Deliveries(tx *storage.Tx, id PostID) iter.Seq[Delivery] {
	return func(yield func(Delivery) bool) {
		for _, d := range storage.Under(tx, deliveries, postID, id) {
			if !yield(d) {
				return
			}
		}
	}
}

// DeliveryCounts returns how many attempts ended in each status.
func DeliveryCounts(tx *storage.Tx, id PostID) (map[string]int, error) {
	c, err := counts.Get(tx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

// HasDeliveries reports whether it is still known what became of each copy.
func HasDeliveries(tx *storage.Tx, id PostID) bool {
	for range Deliveries(tx, id) {
		return true
	}
	return false
}

// ForgetDeliveries forgets what became of each copy; the counts stay.
func ForgetDeliveries(tx *storage.Tx, id PostID) error {
	for k := range storage.Under(tx, deliveries, postID, id) {
		if err := deliveries.Delete(tx, k); err != nil {
			return err
		}
	}
	return nil
}
