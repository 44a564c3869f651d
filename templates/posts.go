package templates

// rowSize is about how many bytes a row of an outline has.
const rowSize = 220

// outline writes the messages of a thread, or of a part of it, as a list.
func outline(w *writer, rows []OutlineRow) {
	w.Grow(rowSize * len(rows))
	w.html(`<ol class="outline">`)
	var above Time
	for i := range rows {
		w.outlineRow(&rows[i], above)
		above = rows[i].Sent
	}
	w.html("\n</ol>")
}

// outlineRow writes a row under that of another moment.
func (w *writer) outlineRow(r *OutlineRow, above Time) {
	w.html("\n" + `<li class="d`)
	w.int(r.Depth)
	if r.Current {
		w.html(" current")
	}
	w.between(`"><a href="`, r.Href, `"`)
	if r.Current {
		w.html(` aria-current="true"`)
	}
	w.between(">", r.From, "</a>")
	if r.New {
		w.html(` <span class="badge fresh"`)
		if r.FirstNew {
			w.html(` id="new"`)
		}
		w.html(`>`)
		w.t("thread.new-mark")
		w.html(`</span>`)
	}
	if r.HasAttachment {
		w.html(` <span class="clip" title="`)
		w.t("message.attachment")
		w.html(`">`)
		w.t("message.attachment-mark")
		w.html(`</span>`)
	}
	w.html(" ")
	w.time(r.Sent.Under(above), false)
	if r.Subject != "" {
		w.html(`<span class="changed"`)
		w.langOf(r.Subject)
		w.between(">", r.Subject, "</span>")
	}
	w.html("</li>")
}

// monthThreads writes the threads of a month, each with its messages.
func monthThreads(w *writer, all []MonthThread) {
	rows := 0
	for i := range all {
		rows += 1 + len(all[i].Rows)
	}
	w.Grow(rowSize * rows)
	for i := range all {
		t := &all[i]
		w.between("\n<section>\n"+`<h2><a href="`, t.Href, `"`)
		w.subject(t.Subject)
		w.html("</a>")
		if t.Earlier {
			w.html(` <span class="badge">`)
			w.t("month.earlier")
			w.html("</span>")
		}
		w.html("</h2>\n")
		outline(w, t.Rows)
		if t.More > 0 {
			w.between(`<p class="more"><a href="`, t.Href, `">`)
			w.t("month.more", "n", t.More)
			w.html("</a></p>")
		}
		w.html("\n</section>")
	}
}

// threadPost writes the messages of a thread.
func threadPost(w *writer, posts []Post) {
	size := 0
	for i := range posts {
		size += posts[i].size() + 1500 // about as much stands around a text
	}
	w.Grow(size)
	for i := range posts {
		w.post(&posts[i])
	}
}

// post writes a message in the page of its thread.
func (w *writer) post(p *Post) {
	w.html(`<article class="post d`)
	w.int(p.Depth)
	if p.New {
		w.html(" new")
	}
	w.between(`" id="`, p.Anchor, "\">\n")
	if p.Subject != "" {
		w.html("<h2")
		w.langOf(p.Subject)
		w.between(">", p.Subject, "</h2>")
	}
	w.postHead(p)
	w.postBody(p)
	w.postActions(p)
	w.html("\n</article>\n")
}

// size is about how many bytes the text of a message has.
func (p *Post) size() (n int) {
	for _, b := range p.Blocks {
		n += len(b.HTML)
	}
	return n
}

// postHead writes who wrote a message, when, and in answer to what.
func (w *writer) postHead(p *Post) {
	w.between("\n<header>\n"+`<span class="initial" aria-hidden="true">`, p.Initial, "</span>\n")
	w.between(`<div class="who"><b>`, p.From, `</b>`)
	if p.FromAddress != "" && p.FromAddress != p.From {
		w.between(` <span class="address">`, p.FromAddress, `</span>`)
	}
	w.between("</div>\n"+`<div class="when"><a class="permalink" href="`, p.Href, `" title="`)
	w.t("message.permalink")
	w.html(`">`)
	w.time(p.Sent, true)
	w.html(`</a>`)
	if p.New {
		w.html(` <span class="badge fresh"`)
		if p.FirstNew {
			w.html(` id="new"`)
		}
		w.html(`>`)
		w.t("thread.new-mark")
		w.html(`</span>`)
	}
	if p.InReplyTo.Href != "" {
		w.between(` <a class="up" href="`, p.InReplyTo.Href, `">`)
		w.t("thread.in-reply-to", "name", p.InReplyTo.Text)
		w.html(`</a>`)
	}
	w.html("</div>\n</header>\n")
}

// postBody writes the text of a message and its attachments.
func (w *writer) postBody(p *Post) {
	w.body(p.Blocks, p.Cut, p.Raw)
	w.attachments(p.Attachments, len(p.Blocks) == 0 && len(p.Attachments) == 1)
	w.html("\n")
}

// body writes the text of a message; whole is where the rest is of one that was cut.
func (w *writer) body(blocks []Block, cut bool, whole string) {
	w.html(`<div class="body">`)
	for i := range blocks {
		w.block(&blocks[i])
	}
	if len(blocks) == 0 {
		w.html("\n" + `<p class="empty">`)
		w.t("message.no-text")
		w.html("</p>")
	}
	if cut {
		w.between("\n"+`<p class="empty"><a href="`, whole, `">`)
		w.t("message.cut")
		w.html("</a></p>")
	}
	w.html("\n</div>")
}

func (w *writer) block(b *Block) {
	tag, class := "div", "text "+b.Kind
	if b.Kind == "quote" {
		tag = "blockquote"
	}
	if b.Fold {
		w.between("\n"+`<details class="`, b.Kind, `"><summary>`)
		if b.Kind == "quote" {
			w.t("message.quote", "n", b.Lines)
		} else {
			w.t("message.signature")
		}
		w.html("</summary>")
		class = "text"
	}
	w.html("\n<" + tag + ` class="` + class)
	if b.Preformatted {
		w.html(` columns`)
	}
	w.html(`"`)
	w.langOf(string(b.HTML))
	if b.Preformatted {
		w.html(` tabindex="0"`)
	}
	w.html(">")
	w.html(string(b.HTML)) // safe: archive/render made it
	w.html("</" + tag + ">")
	if b.Fold {
		w.html("</details>")
	}
}

// attachments writes a list of files, if there are any; open says that messages among them are shown without being asked for.
func (w *writer) attachments(all []Attachment, open bool) {
	if len(all) == 0 {
		return
	}
	w.html("\n" + `<section class="attachments"><h2>`)
	w.t("message.attachments", "n", len(all))
	w.html("</h2>\n<ul>")
	for _, a := range all {
		w.between("\n"+`<li><a href="`, a.Href, `">`)
		w.text(a.Name)
		w.between(`</a> <span class="meta"><span>`, a.Kind, `</span> <span>`)
		w.text(a.Size)
		w.html("</span></span>")
		if a.HTML != "" {
			w.file(&a)
		}
		if a.Message != nil {
			w.enclosed(&a, open)
		}
		w.html("</li>")
	}
	w.html("\n</ul></section>")
}

// enclosed writes a message that is attached.
func (w *writer) enclosed(a *Attachment, open bool) {
	m := a.Message
	w.html("\n" + `<details class="enclosed"`)
	if open {
		w.html(" open")
	}
	w.html("><summary><b")
	w.subject(m.Subject)
	w.html("</b>")
	if m.From != "" {
		w.between(` <span>`, m.From, `</span>`)
	}
	if !m.Sent.IsZero() {
		w.html(" ")
		w.time(m.Sent, true)
	}
	w.html("</summary>\n")
	w.body(m.Blocks, m.Cut, a.Href)
	w.attachments(m.Attachments, false)
	w.html("</details>")
}

// openFile is how many lines a file may have that is shown without being asked for.
const openFile = 40

// file writes the text of an attachment, in its columns.
func (w *writer) file(a *Attachment) {
	w.html("\n" + `<details class="file"`)
	if a.Lines <= openFile {
		w.html(" open")
	}
	w.html("><summary>")
	w.t("message.file", "n", a.Lines)
	w.html(`</summary><div class="text columns"`)
	w.langOf(string(a.HTML))
	w.html(` tabindex="0">`)
	w.html(string(a.HTML)) // safe: archive/render made it
	w.html("</div>")
	if a.Cut {
		w.between(`<p class="empty"><a href="`, a.Href, `">`)
		w.t("message.file-cut")
		w.html("</a></p>")
	}
	w.html("</details>")
}

// postActions writes what can be done with a message.
func (w *writer) postActions(p *Post) {
	w.html(`<p class="actions">`)
	if p.Reply != "" {
		w.between(`<a href="`, p.Reply, `">`)
		w.t("message.reply")
		w.html("</a>")
	}
	w.between("\n"+`<a href="`, p.Raw, `">`)
	w.t("message.raw")
	w.between("</a>\n"+`<button class="quiet copy" type="button" value="`, p.Href, `" data-done="`)
	w.t("message.copied")
	w.html(`" hidden>`)
	w.t("message.copy")
	w.html("</button></p>")
}
