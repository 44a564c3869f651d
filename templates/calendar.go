package templates

import (
	"html/template"
	"strconv"
)

// cells returns the months of a year as cells of the calendar. Twenty years have 240 of them, for which the templates would take longer
// than for the rest of a page.
func cells(y Year) template.HTML {
	b := make([]byte, 0, 2048)
	for _, m := range y.Months {
		b = append(b, "<td"...)
		if m.Level > 0 {
			b = append(b, ` class="l`...)
			b = append(strconv.AppendInt(b, int64(m.Level), 10), '"')
		}
		b = append(b, '>')
		if m.Href != "" {
			b = append(b, `<a href="`...)
			b = append(append(b, template.HTMLEscapeString(m.Href)...), `">`...)
		}
		b = append(b, "<span>"...)
		b = append(append(b, template.HTMLEscapeString(m.Short)...), "</span>"...)
		if m.Href != "" {
			b = append(strconv.AppendInt(append(b, ' '), int64(m.Messages), 10), "</a>"...)
		}
		b = append(b, "</td>"...)
	}
	return template.HTML(b)
}
