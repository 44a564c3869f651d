package templates

// Settings is the view of page "settings": the form of a list's settings.
type Settings struct {
	List     string // its title
	Path     string // of the page
	Query    string // what was looked for, "" for all settings
	Count    int    // of the settings shown
	Wrong    bool   // some could not be taken: see their fields
	Revision uint64 // of the settings shown
	Groups   []SettingGroup
	Waits    []SettingWait
}

// SettingGroup is settings about one thing.
type SettingGroup struct {
	ID, Title string
	Fields    []SettingField
}

// SettingField is a setting in the form. Kind says which of the other fields hold its value: "switch" On, "word" and "words" Options,
// "texts" Texts, "saved" Saved, "number", "decimal" and "line" Value, "text", "lines" and "headers" Value in Lines lines.
type SettingField struct {
	Name, Kind, Label, Help string
	Default, Example        string
	Wrong                   string // why it could not be taken, or ""
	Value                   string
	Lines                   int
	On                      bool
	Options                 []SettingOption
	Texts                   []SettingText
	Saved                   []SettingSaved
	Changed                 string // who changed it last, "" if nobody ever did
	At                      Time   // and when
	History                 string // path of all its changes
	Fixed                   string // the value in words where the reader may not change it, with why in Why
	Why                     string
	Usage                   string // how much of it is taken, of a quota
}

// SettingHistory is the view of page "setting-history": the changes of one setting.
type SettingHistory struct {
	Label, Name, Value string
	Action             string // of the buttons that go back to an earlier value
	Form, Back         string // paths of its field, and of all settings
	Rows               []LogRevision
	Older              string // path of the page before, "" at the end
}

// SettingOption is a value to choose.
type SettingOption struct {
	Value, Label string
	Chosen       bool
}

// SettingText is a text in one language.
type SettingText struct {
	Field, Lang, Label, Value string
}

// SettingSaved is a text with a name, in each language.
type SettingSaved struct {
	Field, Name string
	Texts       []SettingText
}

// SettingWait is a change that falls back unless it is confirmed.
type SettingWait struct {
	Number uint64
	Text   string
	Action string // of the button that confirms it
}

// SettingsReview is the view of page "settings-review": what a change would do, before it is saved.
type SettingsReview struct {
	List, Action, Back string
	Changes            []SettingDiff
	Patch              string // the changes, for the button
	Revision           uint64
	Replay             *SettingsReplay // nil where rules were not asked
}

// SettingDiff is a setting with its values before and after, in words.
type SettingDiff struct {
	Label, Was, Is string
}

// SettingsReplay is what a change would have meant for posts that came.
type SettingsReplay struct {
	Days, Posts, Different, More, Forgotten int
	Rows                                    []ReplayRow
}

// ReplayRow is a post that would have been treated otherwise.
type ReplayRow struct {
	When                  Time
	Author, Subject, Href string
	Was, Is               string
}

// Log is the view of page "log": what was decided about a list, and who did.
type Log struct {
	List      string
	Revisions []LogRevision
	Events    []LogEvent
	Older     string // path of the page before, "" at the end
}

// LogRevision is a change of settings.
type LogRevision struct {
	Number    uint64
	When      Time
	By, Why   string
	Of        uint64 // the change that it took back
	Changes   []SettingDiff
	FallsBack string // when, "" if it stays
	Action    string // of the button that takes it back
}

// LogEvent is an entry of the log.
type LogEvent struct {
	When            Time
	Stage, Text, By string
}
