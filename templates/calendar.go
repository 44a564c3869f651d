package templates

// cells writes the months of a year as cells of the calendar.
func cells(w *writer, y Year) {
	for _, m := range y.Months {
		w.html("<td")
		if m.Level > 0 {
			w.html(` class="l`)
			w.int(m.Level)
			w.html(`"`)
		}
		w.html(">")
		if m.Href != "" {
			w.between(`<a href="`, m.Href, `">`)
		}
		w.between("<span>", m.Short, "</span>")
		if m.Href != "" {
			w.html(" ")
			w.int(m.Messages)
			w.html("</a>")
		}
		w.html("</td>")
	}
}
