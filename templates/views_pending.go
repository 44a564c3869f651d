package templates

// Waits is the view of page "pending": who is waited for in a list, or waits there.
type Waits struct {
	Path  string
	Kinds []PageLink // of what waits, with how many
	Kind  string     // of the rows: "held" where a moderator is waited for
	Means string     // what this kind is
	Query string
	Asks  bool // the reader may mail the question once more, and withdraw it
	Rows  []WaitRow
	Pages []PageLink
}

// WaitRow is one of them.
type WaitRow struct {
	Address, Name string
	Href          string // what is known of the address, or ""
	Words         string // what it waits for, where the kind does not say it
	Since, Until  Time
	By            string // who brought it about, where that was somebody else
}
