package templates

// Members is the view of page "members": who is in a list.
type Members struct {
	Path      string // of the page
	Role      string // what those shown are: "member" or "nonmember"
	Roles     []PageLink
	Query     string
	Beginning bool // Query is the beginning of the address, not any part of address or name
	Filters   []MemberFilter
	Narrowed  bool // not everybody is asked for
	Rows      []MemberRow
	Pages     []PageLink
	Stopped   *MembersStopped
	Work      []Link // what an owner can do with many
}

// MemberFilter is a choice of whom to show.
type MemberFilter struct {
	Name, Label string
	Choices     []Choice
}

// MemberRow is one of them.
type MemberRow struct {
	Href, Address, Name string
	Badges              []string // what is not as usual
}

// MembersStopped says that a search has looked at as many as one page may.
type MembersStopped struct {
	Looked int
	At     string // address at which it stopped
	GoOn   string // the page that goes on
	Begins string // the page of addresses that begin with what was looked for, or ""
}

// Member is the view of page "member": what an address is in a list.
type Member struct {
	Address, Name          string
	Roles                  []string // what else it is there
	Nonmember              bool
	Former                 bool // it has no place there any more; only History is left
	Joined                 Time
	Action                 string
	Delivery, Modes        []Choice
	Moderation, Languages  []Choice
	Until, Soonest, Latest string // day on which mail comes again, and what it may be (2026-12-31)
	Wrong                  string // what is wrong with that day, or ""
	Bounces                string // what mails that came back have led to, in words
	Switches               []Switch
	MayBelieve, Believed   bool // the reader may say that posts are believed without authentication; they are
	Remove                 string
	Goodbye                bool // is usual
	History                []LogEvent
	Back                   string
}

// Bulk is the view of page "bulk": the form that adds or removes many.
type Bulk struct {
	Remove       bool
	Nonmembers   bool // it is about these: Actions are what may happen to their posts, and Lead says what the page is for
	Actions      []Choice
	Lead         string
	Action, Back string
	Tell         bool   // a welcome or goodbye is usual
	Most         int    // megabytes that a file may have
	Typed, Wrong string // what was typed, and what is wrong with it, or ""
}

// BulkPlan is the view of page "bulk-plan": what would become of many addresses, or became of them.
type BulkPlan struct {
	Done, Remove        bool
	Lead, Button        string
	Action, Back, Again string
	Todo                int // with how many something would be done
	Repeated            int // lines that name an address again
	Groups              []BulkGroup
	Lines               []BulkLine
}

// BulkGroup is addresses to which the same happens.
type BulkGroup struct {
	Title     string
	Addresses []string
	More      int // that are not named
}

// BulkLine is a line that cannot be read; Number is 0 where it is about no line.
type BulkLine struct {
	Number      int
	Text, Input string
}

// Bans is the view of page "bans": who may neither post to a list, or any list of the site, nor join it. Lead says which.
type Bans struct {
	Lead, Path, Query string
	Typed, Why, Wrong string // what cannot be banned, and what is wrong with it, or ""
	Total             int    // of those that match Query
	Rows              []BanRow
	Pages             []PageLink
}

// BanRow is an entry, what it means, and how it came.
type BanRow struct {
	Entry, Kind string
	When        Time
	By, Why     string
}

// Roles is the view of page "roles": who owns and moderates a list.
type Roles struct {
	Path               string
	Groups             []RoleGroup
	Choices            []Choice
	Typed, Role, Wrong string // who cannot be given a role, and what is wrong, or ""
}

// RoleGroup is those who have a role.
type RoleGroup struct {
	Role, Title, Means string
	Rows               []RoleRow
	Stays              bool // there is only one, who cannot be taken away
}

// RoleRow is one of them.
type RoleRow struct {
	Address, Name string
	Since         Time
	Me            bool
}
