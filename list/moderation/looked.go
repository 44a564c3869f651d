package moderation

import (
	"sync"

	"kairan/list"
	"kairan/storage"
)

// Of how many held posts it is remembered what was seen of them, and how risky they are.
const (
	maxLooked  = 200
	maxWeighed = 10_000
)

// looked remembers what was seen of held posts, which do not change while they wait: pages show the same ones again and again, and a message
// may be large.
type looked struct {
	mu    sync.Mutex // protects the maps
	items map[list.PostID]item
	risks map[list.PostID]int
}

// item returns what look sees of a post, which is only called where that is not known.
func (k *looked) item(id list.PostID, look func() (item, error)) (item, error) {
	k.mu.Lock()
	it, ok := k.items[id]
	k.mu.Unlock()
	if ok {
		return it, nil
	}
	it, err := look()
	if err != nil {
		return it, err
	}
	it.post = nil
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.items == nil || len(k.items) >= maxLooked {
		k.items = map[list.PostID]item{}
	}
	k.items[id] = it
	return it, nil
}

// weigh fills in the risks of what waits.
func (k *looked) weigh(tx *storage.Tx, all []queued) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, w := range all {
		if w.request != nil {
			all[i].risk = -1
			continue
		}
		risk, ok := k.risks[w.id]
		if !ok {
			p, err := list.GetPost(tx, w.id)
			if err != nil {
				return err
			}
			risk = Risk(p.Verdict, p.Auth)
			if k.risks == nil || len(k.risks) >= maxWeighed {
				k.risks = map[list.PostID]int{}
			}
			k.risks[w.id] = risk
		}
		all[i].risk = risk
	}
	return nil
}
