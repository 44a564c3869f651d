package templates

// Flash is what a page says once about what was done on the page before.
type Flash struct {
	Text string `json:"t"`
	// A button that takes it back: where it posts to, and its words; "" for none.
	Action string `json:"a,omitempty"`
	Button string `json:"b,omitempty"`
}

// Login is the view of page "login".
type Login struct {
	// State is "ask" (for an address), "code" (asked, now waiting), "confirm" (the link's button), "elsewhere" (the link in another
	// browser) or "bad" (a link that is of no use).
	State   string
	Address string
	To      string // path to go to afterwards
	Wrong   string // what is wrong with what was entered, or ""
	Action  string // of the link's button
	ByMail  bool   // the site mails links
}

// My is the view of page "my": what somebody is here.
type My struct {
	Address  string
	Lists    []MyList
	Sessions []SessionRow
}

// MyList is a list that somebody belongs to.
type MyList struct {
	Title, Href, Address string
	Member               bool
	Roles                []string // besides member
}

// SessionRow is a browser in which somebody is signed in.
type SessionRow struct {
	ID, Browser string
	Begun, Seen Time
	Here        bool // it is this one
}

// Demo is the view of page "demo": whom the demo signs in.
type Demo struct {
	Action string
	People []DemoPerson
}

// DemoPerson is a button of that page.
type DemoPerson struct {
	Address, Role, Means string
}
