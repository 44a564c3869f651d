package templates

// Health is the view of page "health": how a list is doing.
type Health struct {
	Members, Off string // how many
	Since        string // the day when counting began, if that is later than what is shown
	Growth       *Chart
	Posts        *Chart
	Deliveries   *Chart
	Providers    Shares
	Bounces      Shares
	OffReasons   Shares
	Moderation   *Chart
}

// Shares is a table with a bar in each row.
type Shares struct {
	Caption string
	Heads   []string // with that of the rows
	Rows    []Share
	None    string // said where there are no rows
}
