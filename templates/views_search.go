package templates

// Search is the view of page "search": a question to the archives, and what was found.
type Search struct {
	Action string // address of the form
	Query  string
	Order  string // "date", or "" for the best first
	Wider  Link   // the same search in all lists; without Href when this is that

	Asked      bool     // there was something to look for
	Slow       bool     // it was given up
	Long       bool     // only the beginning of the query was looked at
	Incomplete bool     // the index is still being made
	Ignored    []string // words of the query that mean nothing
	Total      int
	Seen       int  // how many of them can be seen at the most
	Best       Link // the other order, if there is one
	Newest     Link
	Hits       []SearchHit
	Pages      []PageLink // empty when all hits are on one page
}

// SearchHit is a message that was found.
type SearchHit struct {
	Href          string
	Subject, Text []SearchPiece // Subject is empty where there is none
	From          string
	List          Link // without Href where there is only one list
	Sent          Time
	HasAttachment bool
}

// SearchPiece is a piece of text; Mark says that it is what was looked for.
type SearchPiece struct {
	Text string
	Mark bool
}
