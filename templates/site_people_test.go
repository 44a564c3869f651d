package templates

import "time"

// peopleSamples are views of the pages about people.
func peopleSamples() map[string][]any {
	when := NewTime("ja", time.Date(2026, 1, 5, 14, 3, 0, 0, time.UTC))
	link := Link{Href: "/x/", Text: "<T>"}
	place := PersonPlace{Key: "<T>", List: "<T>", Href: "/x/", Page: "/p", Address: "<T>", Role: "<T>", Delivery: "<T>", Bounces: "<T>", Off: true, Since: when, Chosen: true}
	post := PersonPost{MyPost: MyPost{Subject: "<T>", List: "<T>", ListHref: "/x/", Href: "/x/m/1/", Received: when, Fate: "<T>", Copies: "<T>", Reasons: []Link{link}}}
	return map[string][]any{
		"site-people": {People{}, People{Query: "<T>", Beginning: true}, People{Query: "<T>", Rows: []PeopleRow{{Href: "/x", Address: "<T>", Name: "<T>", Places: 2, Others: []string{"<T>", "b"}}, {}}, Pages: []PageLink{{Href: "/n", Text: "<T>"}},
			Stopped: &MembersStopped{Looked: 10000, At: "<T>", GoOn: "/g", Begins: "/b"}}},
		"site-person": {Person{Full: true, Unknown: true}, Person{
			Path: "/-/site/person/x", Address: "<T>", Names: []string{"<T>", "b"}, Addresses: []PersonAddress{{Address: "<T>", Preferred: true, Never: true, Remove: true}, {Address: "b", Remove: true}},
			Places: []PersonPlace{place, {}}, Sessions: []SessionRow{{ID: "0", Browser: "<T>", Begun: when, Seen: when, Here: true}, {ID: "1"}},
			Passkeys: []PasskeyRow{{Key: "k", Name: "<T>", Synced: true, Created: when, Used: when, Suspect: when}, {Created: when}},
			Bans:     []PersonBan{{Address: "<T>", Entry: "<T>", Where: "<T>", Href: "/b"}, {}}, Bannable: []string{"<T>"},
			Requests: []PersonRequest{{What: "<T>", List: "<T>", Address: "<T>", Until: when}, {What: "<T>", Href: "/m"}},
			Held:     []PersonPost{post}, Posts: []PersonPost{post, {Secret: true, Proven: true}, {}},
			History: []PersonEvent{{LogEvent: LogEvent{When: when, Stage: "<T>", Text: "<T>", By: "<T>"}, List: "<T>", Href: "/l"}, {}},
			Typed:   `"<T>`, WrongAddress: "<T>", Why: `"<T>`, WrongPlaces: "<T>", WrongBan: "<T>",
		}},
		"site-person-remove": {PersonRemove{}, PersonRemove{Path: "/p", Address: "<T>", Why: `"<T>`, Places: []PersonPlace{place, {}}, Tell: true}, PersonRemove{Alone: []Link{link}}},
		"site-person-erase": {PersonErase{}, PersonErase{Path: "/p", Address: "<T>", Addresses: []string{"<T>", "b"}, Places: []PersonPlace{place}, Sessions: 2, Archive: true, Why: `"<T>`, Typed: `"<T>`, Wrong: "<T>"},
			PersonErase{Alone: []Link{link}}},
	}
}
