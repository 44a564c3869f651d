package templates

// message writes a message with its place in the thread and in the list; site is the site's address.
func message(w *writer, m Message, site string) {
	w.Grow(m.size() + 6<<10 + rowSize*len(m.Outline)) // with what stands around the text, and a reply link
	w.html(`<article class="post single">` + "\n<h1")
	w.subject(m.Subject)
	w.html("</h1>")
	w.postHead(&m.Post)
	w.postBody(&m.Post)
	w.postActions(&m.Post)
	w.envelope(&m, site)
	if len(m.Decide) > 0 {
		w.html("\n" + `<div class="decide">`)
		for _, do := range m.Decide {
			w.between(`<form method="post" action="`, do.Href, `"><button>`)
			w.between("", do.Text, "</button></form> ")
		}
		w.html("</div>")
	}
	if m.Join != "" {
		w.joinForm(m.Join)
	}
	w.html("\n</article>\n")
	if m.ThreadCount > 1 {
		w.threadHere(&m)
	}
	w.html(`<nav class="around list" aria-label="`)
	w.t("message.in-list")
	w.html("\">\n")
	if m.Prev.Href == "" {
		w.html("<span></span>")
	}
	w.neighbour(m.Prev, func() { w.t("message.older") })
	w.html("\n")
	w.neighbour(m.Next, func() { w.t("message.newer") })
	w.html("\n</nav>\n")
}

// joinForm asks what a message is to answer.
func (w *writer) joinForm(action string) {
	w.html(`<details class="decide-join"><summary>`)
	w.t("decide.join")
	w.between(`</summary><form class="fields" method="post" action="`, action, `"><p><label for="join-to">`)
	w.t("decide.join.to")
	w.html(`</label><input id="join-to" name="to" required maxlength="1000" autocapitalize="off" autocomplete="off" aria-describedby="join-help"><small id="join-help">`)
	w.t("decide.join.help")
	w.html(`</small></p><p><button>`)
	w.t("decide.join.do")
	w.html("</button></p></form></details>")
}

// subject ends a tag and writes a subject into the element.
func (w *writer) subject(subject string) {
	if subject == "" {
		w.html(">")
		w.t("message.no-subject")
		return
	}
	w.langOf(subject)
	w.between(">", subject, "")
}

// envelope writes to whom a message went and how it can be referred to.
func (w *writer) envelope(m *Message, site string) {
	w.html(`<dl class="envelope">`)
	if m.Number != "" {
		w.html("<dt>")
		w.t("message.number")
		w.between("</dt><dd>", m.Number, "</dd>")
	}
	if m.Recipients != "" {
		w.html("<dt>")
		w.t("message.to")
		w.between("</dt><dd>", m.Recipients, "</dd>")
	}
	if m.Cc != "" {
		w.html("<dt>")
		w.t("message.cc")
		w.between("</dt><dd>", m.Cc, "</dd>")
	}
	w.html("\n<dt>")
	w.t("message.permalink")
	w.between(`</dt><dd><a class="permalink" href="`, m.Canonical, `">`)
	w.text(site)
	w.between("", m.Canonical, "</a></dd>\n</dl>\n")
}

// threadHere writes the thread around a message.
func (w *writer) threadHere(m *Message) {
	w.between("\n"+`<section class="thread-here">`+"\n"+`<h2><a href="`, m.Thread, `">`)
	w.t("message.thread")
	w.html("</a> <small>")
	w.t("thread.messages", "n", m.ThreadCount)
	w.html("</small></h2>\n")
	if len(m.Outline) > 0 {
		outline(w, m.Outline)
	}
	w.html("\n" + `<nav class="around" aria-label="`)
	w.t("message.in-thread")
	w.html("\">\n")
	if m.ThreadPrev.Href != "" {
		w.between(`<a rel="prev" href="`, m.ThreadPrev.Href, `">← `)
		w.between("", m.ThreadPrev.Text, "</a>")
	} else {
		w.html("<span></span>")
	}
	w.html("\n")
	if m.ThreadNext.Href != "" {
		w.between(`<a rel="next" href="`, m.ThreadNext.Href, `">`)
		w.between("", m.ThreadNext.Text, " →</a>")
	}
	w.html("\n</nav>\n</section>\n")
}

// neighbour links the message before or after in the list, if there is one.
func (w *writer) neighbour(l Link, label func()) {
	if l.Href == "" {
		return
	}
	w.between(`<a href="`, l.Href, `"><small>`)
	label()
	w.html("</small><span")
	w.subject(l.Text)
	w.html("</span></a>")
}
