package web

import (
	"strings"

	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
	"kairan/templates"
)

// maxPreview is how many characters are shown where somebody shares the address of a page.
const maxPreview = 200

// extent is how much a page shows of a message.
type extent struct {
	quote   int  // bytes that the reply link may have with what it quotes
	files   bool // the text of files of text
	preview bool // the beginning of its text
}

// open reads a message that [handler.post] shows, of which nothing else may be shown but what has passed [archive.PublicText].
func open(r *archive.Reader, m *archive.Message) (*message.Message, error) {
	raw, err := r.Raw(m)
	if err != nil {
		return nil, err
	}
	return message.Parse(raw), nil
}

// post is a message as a page shows it, without its text if msg is nil.
func (h *handler) post(q *request, m *archive.Message, msg *message.Message, e extent) templates.Post {
	name := h.name(q, m)
	p := templates.Post{
		ID:      m.ID,
		Anchor:  anchor(m.Seq),
		From:    name,
		Initial: initial(name),
		Sent:    h.time(q, m.Date),
		Href:    q.messagePath(m),
		Raw:     q.messagePath(m) + "raw",
		Cut:     true,

		FromAddress: q.show(m.FromAddr),
	}
	options := render.Options{Filter: archive.PublicText, Page: true, Files: e.files}
	if q.stranger() {
		options.Mask = q.mask
	}
	var shown render.Body
	if msg != nil {
		shown = render.Show(msg, options)
		p.Cut = shown.Cut
	}
	p.Blocks, p.Attachments = blocks(shown), h.attachments(q, m, shown)
	if e.preview && q.stranger() {
		p.Preview = message.Brief(shown.Start(4*maxPreview), maxPreview)
	}
	p.Reply = q.reply(m, h.quote(q, m, shown, e.quote), e.quote)
	return p
}

func blocks(shown render.Body) (all []templates.Block) {
	for _, b := range shown.Blocks {
		all = append(all, templates.Block{
			Kind: string(b.Kind), Fold: b.Fold, Lines: b.Lines, Preformatted: b.Preformatted, HTML: b.HTML,
		})
	}
	return all
}

// attachments are the files that came with the message, with what messages among them say.
func (h *handler) attachments(q *request, m *archive.Message, shown render.Body) (all []templates.Attachment) {
	for _, a := range shown.Attachments {
		name := a.FileName()
		link := templates.Attachment{
			Href: q.messagePath(m) + "att/" + a.Part + "/" + archive.EscapeSegment(name),
			Name: name,
			Kind: a.Type,
			Size: size(a.Size), Bytes: a.Size,
			HTML: a.HTML, Lines: a.Lines, Cut: a.Cut,
		}
		if e := a.Message; e != nil {
			link.Message = &templates.Enclosed{
				From: e.From, Subject: e.Subject, Sent: h.time(q, e.Date),
				Blocks: blocks(e.Body), Attachments: h.attachments(q, m, e.Body), Cut: e.Body.Cut,
			}
		}
		all = append(all, link)
	}
	return all
}

// harmless returns the declared type of a file if a browser that shows it in spite of all runs nothing in it.
func harmless(declared string) string {
	switch {
	case declared == "text/plain" || strings.HasPrefix(declared, "text/x-"):
		return "text/plain"
	case declared == "application/pdf", declared == "application/zip",
		declared == "image/png", declared == "image/jpeg", declared == "image/gif", declared == "image/webp":
		return declared
	}
	return "application/octet-stream"
}
