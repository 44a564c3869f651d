package templates

// People is the view of page "site-people": who is in some list, or has several addresses.
type People struct {
	Query     string
	Beginning bool // Query is the beginning of the address
	Rows      []PeopleRow
	Pages     []PageLink
	Stopped   *MembersStopped
}

// PeopleRow is an address.
type PeopleRow struct {
	Href, Address, Name string
	Places              int      // roles in lists
	Others              []string // addresses of the same person
}

// Person is the view of page "site-person": what is known of somebody.
type Person struct {
	Path      string
	Address   string   // the preferred one
	Names     []string // in lists
	Unknown   bool     // nothing is kept about it
	Addresses []PersonAddress
	Full      bool // there may be no more addresses
	Places    []PersonPlace
	Sessions  []SessionRow
	Passkeys  []PasskeyRow
	Bans      []PersonBan
	Bannable  []string // addresses that the site does not ban
	Requests  []PersonRequest
	Held      []PersonPost
	Posts     []PersonPost
	History   []PersonEvent
	// What was typed and what is wrong with it, or "": of an address to add, or of a change in lists.
	Typed, WrongAddress, Why, WrongPlaces, WrongBan string
}

// PersonAddress is one of the person's.
type PersonAddress struct {
	Address          string
	Preferred, Never bool // Never wants no mail that others ask for
	Remove           bool // it can be
}

// PersonPlace is what one of the addresses is in a list.
type PersonPlace struct {
	Key, List, Href, Page string // Page is where more can be changed
	Address               string // "" where the person has only one
	Role                  string
	Delivery, Bounces     string // of a member, in words
	Off                   bool
	Since                 Time
	Chosen                bool
}

// PersonBan is an entry of a ban list that means the person.
type PersonBan struct {
	Address, Entry, Where string
	Href                  string // where it is lifted, or ""
}

// PersonRequest is something that waits: for a word of the person's, or of the moderators.
type PersonRequest struct {
	What, List, Address string
	Href                string // of the moderators' page, or ""
	Until               Time
}

// PersonPost is a post that bears an address of the person.
type PersonPost struct {
	MyPost
	Secret bool // the reader may not read the list: there is no subject
	Proven bool // it is no forgery
}

// PersonEvent is a line about the person.
type PersonEvent struct {
	LogEvent
	List, Href string // "" in the site's log
}

// PersonRemove is the view of page "site-person-remove": what would be when somebody is taken off lists.
type PersonRemove struct {
	Path, Address, Why string
	Places             []PersonPlace
	Tell               bool
	Alone              []Link // lists that would have no owner
}

// PersonErase is the view of page "site-person-erase".
type PersonErase struct {
	Path, Address string
	Addresses     []string
	Places        []PersonPlace
	Sessions      int
	Alone         []Link // lists that would have no owner
	Archive       bool
	Why           string
	Typed, Wrong  string // the address that was typed to be sure, and what is wrong with it, or ""
}
