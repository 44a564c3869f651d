package templates

import "time"

// memberSamples are views of the pages about who is in a list.
func memberSamples() map[string][]any {
	when := NewTime("ja", time.Date(2026, 1, 5, 14, 3, 0, 0, time.UTC))
	link := Link{Href: "/x/", Text: "<T>"}
	pages := []PageLink{{Text: "1", Current: true}, {Href: "?p=2", Text: "<T>"}}
	choices := []Choice{{"a", "<T>", true}, {"b", "b", false}}
	return map[string][]any{
		"members": {Members{}, Members{Narrowed: true}, Members{Path: "/p", Role: "member", Roles: pages, Query: `"<T>`, Beginning: true, Narrowed: true, Pages: pages, Work: []Link{link},
			Filters: []MemberFilter{{"mode", "<T>", choices}}, Rows: []MemberRow{{"/x", "<T>", "<T>", []string{"<T>", "b"}}, {Href: "/y"}},
			Stopped: &MembersStopped{Looked: 9, At: "<T>", GoOn: "/x", Begins: "/y"}}, Members{Stopped: &MembersStopped{}}},
		"pending": {Waits{}, Waits{Query: "q", Kind: "join"}, Waits{Path: "/p", Kinds: pages, Kind: "held", Means: "<T>", Query: `"<T>`, Pages: pages, Rows: []WaitRow{{"<T>", "<T>", "/x", "<T>", when, when, "<T>"}, {Address: "x"}}},
			Waits{Path: "/p", Kind: "invite", Asks: true, Rows: []WaitRow{{Address: `"<T>`, By: "<T>"}}}},
		"bulk": {Bulk{}, Bulk{Nonmembers: true, Lead: "<T>", Actions: choices}, Bulk{Nonmembers: true, Remove: true, Lead: "<T>"}, Bulk{Remove: true, Action: "/a", Back: "/b", Tell: true, Most: 4, Typed: "</textarea><T>", Wrong: "<T>"}},
		"bulk-plan": {BulkPlan{}, BulkPlan{Done: true, Groups: []BulkGroup{{"<T>", []string{"<T>", "b"}, 2}, {"x", nil, 3}}}, BulkPlan{Lead: "<T>", Button: "<T>", Action: "/a", Back: "/b", Again: "/c",
			Todo: 2, Repeated: 1, Groups: []BulkGroup{{"<T>", []string{"<T>"}, 0}}, Lines: []BulkLine{{1, "<T>", "<T>"}, {0, "x", ""}}}},
		"bans": {Bans{}, Bans{Lead: "<T>", Query: "q"}, Bans{Path: "/p", Query: `"<T>`, Typed: `"<T>`, Why: `"<T>`, Wrong: "<T>", Total: 3, Pages: pages, Rows: []BanRow{{"<T>", "<T>", when, "<T>", "<T>"}, {Entry: "x"}}}},
		"roles": {Roles{}, Roles{Path: "/p", Choices: choices, Typed: `"<T>`, Role: "owner", Wrong: "<T>", Groups: []RoleGroup{{"owner", "<T>", "<T>", []RoleRow{{"<T>", "<T>", when, true}, {Address: "x"}}, false},
			{"moderator", "x", "y", nil, false}, {"owner", "x", "y", []RoleRow{{Address: "x"}}, true}}}},
		"member": {Member{Former: true}, Member{Nonmember: true, Remove: "/r", Believed: true}, Member{
			Address: "<T>", Name: `"<T>`, Roles: []string{"<T>"}, Joined: when, Action: "/p", Delivery: choices, Modes: choices, Moderation: choices, Languages: choices,
			Until: "2026-01-02", Wrong: "<T>", Bounces: "<T>", Switches: []Switch{{"hide", "<T>", "", true}, {"ack", "a", "", false}}, MayBelieve: true, Believed: true,
			Remove: "/r", Goodbye: true, History: []LogEvent{{when, "set", "<T>", "<T>"}, {}}, Back: "/b"}},
	}
}
