package listtest

import "kairan/storage"

// Break makes a row of a table one that cannot be read, as a fault of the disk or a later version would. Keys are texts.
func (w *World) Break(table, key string) {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) error {
		return storage.NewTable[string, string](table, storage.Strings[string]()).Put(tx, key, "broken")
	})
}
