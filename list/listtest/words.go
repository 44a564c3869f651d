package listtest

import (
	"context"
	"encoding/json"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// memberHistory has the rows of list.MemberHistory, of all members.
var memberHistory = storage.NewTable[historyKey, json.RawMessage]("member_history", storage.Pairs(storage.Pairs(storage.Strings[list.ID](), storage.Strings[string]()), storage.Uints[uint64]()))

type historyKey = storage.Pair[storage.Pair[list.ID, string], uint64]

// checkWords fails the test where a line of a member's history has no words in one of the languages.
func (w *World) checkWords() {
	w.t.Helper()
	err := w.DB.View(context.WithoutCancel(w.t.Context()), func(tx *storage.Tx) error {
		for _, row := range memberHistory.Scan(tx, storage.Range[historyKey]{}) {
			var e list.Event
			if err := json.Unmarshal(row, &e); err != nil {
				return err
			}
			for _, lang := range templates.Languages() {
				if said := words().Entry(lang, e.Word, e.Args); e.Word == "" || said == e.Word {
					w.t.Errorf("a line of a member's history has no words in %s: %s", lang, row)
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Errorf("words of histories: %v", err)
	}
}
