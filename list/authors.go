package list

import (
	"iter"

	"kairan/smtpd/address"
	"kairan/storage"
)

// byAuthor finds posts by the address they bear. A post that is accepted at once gets its row with its number and not before the 250, where
// every row costs time; every other post when it is recorded.
var byAuthor = storage.NewTable[storage.Pair[string, PostID], ID]("posts_by_author", storage.Pairs(text, postID)) // address key

func indexAuthor(tx *storage.Tx, p *Post) error {
	if p.Author.IsNull() {
		return nil
	}
	return byAuthor.Put(tx, storage.P(p.Author.Key(), p.ID), p.List)
}

// PostsOf yields the posts to every list that bear an address as their author's, whether that is proven or not, the latest first. An accepted
// post is among them once it has its number.
func PostsOf(tx *storage.Tx, author address.Address) iter.Seq[*Post] {
	return func(yield func(*Post) bool) {
		for k := range storage.UnderReverse(tx, byAuthor, text, author.Key()) {
			if p, err := GetPost(tx, k.B); err == nil && !yield(p) {
				return
			}
		}
	}
}

// indexAuthors is the migration that gives byAuthor the posts that are there.
func indexAuthors(tx *storage.Tx) error {
	for _, p := range posts.Scan(tx, storage.Range[PostID]{}) {
		if err := indexAuthor(tx, &p); err != nil {
			return err
		}
	}
	return nil
}
