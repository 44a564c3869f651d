package templates

// Held is the view of page "held": the posts of a link that lets somebody decide about them.
type Held struct {
	List, ListHref string
	Lead           string   // what the reader may do
	Done           string   // what the button that brought here did, or ""
	Action         string   // where the buttons post to
	Words          []string // the buttons, without "reject"
	Reject         bool     // there is a form for it
	Texts          []string // names of saved texts for it
	Posts          []HeldPost
}

// HeldPost is a held post on that page. All of it is somebody's plain text.
type HeldPost struct {
	ID, From, Subject string
	Received          Time
	Reasons           []string
	Text              string
	Files             []string
	Decided           string // who decided, "" while it waits
}

// Moderate is the view of page "moderate": what waits in the lists that somebody moderates.
type Moderate struct {
	Action string // where the buttons post to
	Total  int
	Posts  []ModeratePost
	Pages  []PageLink
	Lists  []Link // the settings of lists that the reader owns
}

// ModeratePost is a held post, or a request, on that page.
type ModeratePost struct {
	HeldPost
	Key            string // for ids in the page
	Item           string // what it is to the buttons
	IsPost         bool   // not a request
	List, ListHref string
	Words          []string // the buttons, without "reject"
	Texts          []string // names of saved texts for a rejection
}
