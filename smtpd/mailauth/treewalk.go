package mailauth

import (
	"context"
	"strings"

	"kairan/smtpd/resolver"
)

// walked is what a DNS tree walk found (RFC 9989, section 4.10).
type walked struct {
	start   string
	records []record // from the longest name to the shortest
	err     error    // a temporary failure that ended the walk
}

// walker walks for one message and remembers where it has been.
type walker struct {
	ask  resolver.Resolver
	seen map[string]walked
}

// walk asks for policy records from domain upwards: at most eight questions, for names of eight or
// more labels jumping to seven after the first, down to the single label, and no further
// than a record that says psd=y or psd=n.
func (w *walker) walk(ctx context.Context, domain string) walked {
	if found, ok := w.seen[domain]; ok {
		return found
	}
	found := walked{start: domain}
	labels := strings.Split(domain, ".")
	for at := 0; at < len(labels); at = nextLabel(at, len(labels)) {
		name := strings.Join(labels[at:], ".")
		texts, err := w.ask.TXT(ctx, "_dmarc."+name)
		if resolver.Temporary(err) {
			found.err = err
			break
		}
		if rec, ok := onlyRecord(texts); ok {
			rec.domain = name
			found.records = append(found.records, rec)
			if rec.psd != 0 {
				break
			}
		}
	}
	w.seen[domain] = found
	return found
}

// nextLabel returns where the next name of the walk starts among n labels.
func nextLabel(at, n int) int {
	if at == 0 && n >= 8 {
		return n - 7
	}
	return at + 1
}

// onlyRecord returns the DMARC record among the texts of a name. Several are as good as none.
func onlyRecord(texts []string) (only record, ok bool) {
	for _, txt := range texts {
		rec, isRecord := parseRecord(txt)
		if isRecord && ok {
			return record{}, false
		}
		if isRecord {
			only, ok = rec, true
		}
	}
	return only, ok
}

// org returns the organizational domain (RFC 9989, section 4.10.2), or "" when a failure hides it.
func (w walked) org() string {
	if w.err != nil {
		return ""
	}
	for _, rec := range w.records {
		if rec.psd == 'n' {
			return rec.domain
		}
	}
	for _, rec := range w.records {
		if rec.psd == 'y' && rec.domain != w.start {
			below := strings.TrimSuffix(w.start, "."+rec.domain)
			return below[strings.LastIndexByte(below, '.')+1:] + "." + rec.domain
		}
	}
	if n := len(w.records); n > 0 {
		return w.records[n-1].domain
	}
	return w.start
}

// policy returns the record that applies to the name where the walk started: its own, else that of its organizational
// domain, else that of the public suffix above. err is temporary.
func (w walked) policy() (rec record, ok bool, err error) {
	if len(w.records) > 0 && w.records[0].domain == w.start {
		return w.records[0], true, nil
	}
	if w.err != nil {
		return record{}, false, w.err
	}
	org := w.org()
	for _, rec := range w.records {
		if rec.domain == org || rec.psd == 'y' {
			return rec, true, nil
		}
	}
	return record{}, false, nil
}
