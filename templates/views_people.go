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
	// Passkeys says that the site knows passkeys.
	Passkeys bool
	// Directory is the name of the site's directory, "" where there is none.
	Directory string
	Note      string // why another way did not sign in, or ""
}

// My is the view of page "my": what somebody is here.
type My struct {
	Address   string   // the preferred one
	Addresses []string // all
	Passkeys  bool     // the site knows passkeys
	Lists     []MyList
	Left      []Departure
	Sessions  []SessionRow
}

// MyList is a list that somebody belongs to.
type MyList struct {
	Title, Href, Address string
	As                   string // whose of the addresses, "" where there is one
	Member               bool
	Mine                 string   // the page of a member's settings
	Delivery             string   // what a member gets, in words
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

// JoinBox is what the page of a list says about joining it.
type JoinBox struct {
	Mine            string // the reader's own page of the list, "" for who is no member
	Page            string // where one joins, "" where that is only done by mail
	Full            string // that nobody can join, and whom to ask; "" where one can
	Press           bool   // one press of a button is enough, for who is signed in with Address
	Address         string
	Addresses       []string // that one may join with
	Policy, Archive string   // what is waited for; who may read what is posted
	Mail            string   // mailto link
}

// Join is the view of page "join": the form to join a list.
type Join struct {
	JoinBox
	List, ListHref, Description string
	Announce                    bool
	Action                      string
	Form                        string // says when the form was made
	Typed, Name                 string // what was entered
	HasConduct                  bool
	Conduct, ConductPage        string // its text, or the address of its page
	WrongAddress, WrongConduct  string // what is wrong with it, or ""
	Other                       bool   // for another address than the one that is signed in
	Again                       string // why the button has to be pressed once more, or ""
}

// Joining is the view of page "joining": what comes next.
type Joining struct {
	List, ListHref string
	Steps          []string
	Mail           string // mailto link to join instead, or ""
}

// Departure is a list that somebody has left and may come back to.
type Departure struct {
	List, Href, Undo string
	As               string // whose of the addresses, "" where there is one
	Until            Time
}

// Choice is one of several values.
type Choice struct {
	Value, Text string
	Chosen      bool
}

// Switch is something that is on or off.
type Switch struct {
	Name, Text, Help string
	On               bool
}

// Membership is the view of page "membership": a member's settings in a list.
type Membership struct {
	List, ListHref, Posting string
	Address, Name           string
	Action                  string
	As                      string   // the address that the form is about
	To                      []string // addresses to which it may be moved
	Joined                  Time
	Modes, Languages        []Choice
	Switches                []Switch
	Until, Soonest, Latest  string // day on which mail comes again, and what it may be (2026-12-31); "" for none
	Wrong                   string // what is wrong with that day, or ""
	ByModerator, ByBounces  bool   // who has switched delivery off
	Owner                   string // mailto link
}

// LeaveAll is the view of page "leave-all".
type LeaveAll struct {
	Addresses []string
	Lists     []MyList
	UndoDays  int
}

// MyPosts is the view of page "my-posts": what somebody has posted lately.
type MyPosts struct {
	Posts []MyPost
}

// MyPost is a post and what became of it.
type MyPost struct {
	ID, Subject, List, ListHref string
	Href                        string // in the archive, or ""
	Received                    Time
	Fate, Copies                string // in words; Copies is "" where nothing is known of them
	Reasons                     []Link
	// What the author can do: take it back while it is held, or before it leaves; take its words out of the archive.
	Withdraw, Undo, Redact bool
}

// Addresses is the view of page "addresses": the addresses of a person.
type Addresses struct {
	Rows  []AddressRow
	Full  bool   // there may be no more
	Typed string // what was entered to be added
	Wrong string // what is wrong with it, or ""
}

// AddressRow is one of them.
type AddressRow struct {
	Address   string
	Preferred bool
	Lists     []string // that it is in
	Remove    bool     // it can be
}

// Passkeys is the view of page "passkeys": those of a person.
type Passkeys struct {
	Rows  []PasskeyRow
	Full  bool   // there may be no more
	Wrong string // why none was added, or ""
}

// PasskeyRow is one of them.
type PasskeyRow struct {
	Key, Name              string
	Synced                 bool // it is kept in more than one device
	Created, Used, Suspect Time // Suspect is when a copy of it was seen
}

// Passkey is the view of page "passkey", whose script has the browser answer a challenge.
type Passkey struct {
	Adds    bool   // else it signs in
	Options string // of the challenge, in JSON, as browsers parse them
	Action  string // where the answer goes
	Back    string
}

// Directory is the view of page "oidc", which leads to the site's directory.
type Directory struct {
	Name, Href string
}

// AddAddress is the view of page "add-address": the button of the link that was mailed to an address.
type AddAddress struct {
	Address, Action string
	Wrong           string // why it cannot be added, or ""
}

// NewAddress is the view of page "new-address".
type NewAddress struct {
	Address string       // which of them is chosen
	From    []AddressRow // those that are in lists
	Typed   string
	Wrong   string // what is wrong with it, or ""
}

// Erase is the view of page "erase": what would be forgotten of somebody.
type Erase struct {
	Addresses []string
	Lists     []MyList
	Sessions  int
	Alone     []Link // lists without another owner, for which one has to be found before
	Admin     string // mailto link
	Wrong     string
}
