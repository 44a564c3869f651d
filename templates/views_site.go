package templates

// SiteLists is the view of page "site-lists": all lists, by domain, and the form of a new one.
type SiteLists struct {
	Domains []SiteDomain
	Find    bool       // whether there is a form to find lists by
	Query   string     // what is looked for among them
	Pages   []PageLink // where there is more than one
	Form    NewList
}

// SiteDomain is the lists of a domain.
type SiteDomain struct {
	Name  string
	Lists []SiteList
}

// SiteList is a list as the administrator sees it.
type SiteList struct {
	Title, Address, Href string
	Page                 string // about the list as a whole
	Members, Held        int
	Last                 Time // of the latest post; its zero value for none
	States               []string
}

// NewList is the form of a new list, as it was filled in.
type NewList struct {
	Address, Owners string
	Styles          []ListStyle
	Languages       []Language
	Wrong           string // why it could not be made, or ""
}

// ListStyle is a style to choose.
type ListStyle struct {
	Value, Label, What string
	Chosen             bool
}

// SiteListPage is the view of page "site-list": what can be done with a list as a whole.
type SiteListPage struct {
	SiteList
	Settings, Log     string // paths
	Quotas            string // path of the settings that bound what it takes
	To                string // the new address, as it was filled in
	Former            []string
	WrongTo, WrongYes string // why it could not be done, or ""
	Usage             []Fact
}

// Fact is something with its name.
type Fact struct {
	Name, Value string
}

// SiteLog is the view of page "site-log": who did what on the site.
type SiteLog struct {
	Events []LogEvent
	By     string // who was looked for
	Stages []SettingOption
	Older  string // path of the page before, "" at the end
}

// SiteQueue is the view of page "site-queue": what waits to be sent.
type SiteQueue struct {
	By      string // "domain" or "post"
	Waiting int    // recipients in all
	More    bool   // than these: only the oldest are counted and shown
	Rows    []QueueRow
	Pages   []PageLink
}

// QueueRow is what waits for a destination, or of a post.
type QueueRow struct {
	Key, Name, List   string // List is the title of the post's list
	Waiting, Attempts int
	Queued, Next      Time
	Reply             string // what was said last
}

// SiteDomains is the view of page "site-domains": the DNS records of the domains that lists live in.
type SiteDomains struct {
	Domains []DomainStatus
	Pages   []PageLink
}

// DomainStatus is how a domain stands in the DNS.
type DomainStatus struct {
	Name    string
	NoKey   bool // it has no DKIM key
	Fine    bool
	Records []RecordRow
}

// RecordRow is a DNS record: what it is for, how it stands, and what to publish.
type RecordRow struct {
	What, Means, State string
	Bad                bool
	Name, Type         string
	Found              []string
	Publish            string // a line of a zone file, or ""
}

// AdminHome is the view of page "admin-home": an owner's lists.
type AdminHome struct {
	Site  bool // the reader is the site's administrator
	Lists []SiteList
}
