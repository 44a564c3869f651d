package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"

	"kairan/archive"
)

// relink makes the links of a page lead to files. Static files, and attachments of a message's page, are written on the way. What
// leads to what no file stands for loses its link.
func (s *site) relink(at *url.URL, file string, page []byte) ([]byte, error) {
	var out bytes.Buffer
	z := html.NewTokenizer(bytes.NewReader(page))
	for z.Next() != html.ErrorToken {
		raw := bytes.Clone(z.Raw())
		token := z.Token()
		changed := false
		for i := 0; i < len(token.Attr); i++ {
			a := &token.Attr[i]
			if a.Key != "href" && a.Key != "src" {
				continue
			}
			to, err := s.link(at, file, a.Val)
			if err != nil {
				return nil, err
			}
			if changed = changed || to != a.Val; to == "" {
				token.Attr = append(token.Attr[:i], token.Attr[i+1:]...)
				i--
				continue
			}
			a.Val = to
		}
		if changed {
			out.WriteString(token.String())
		} else {
			out.Write(raw)
		}
	}
	return out.Bytes(), nil
}

// link returns what a link becomes that stands on a page.
func (s *site) link(at *url.URL, file, href string) (string, error) {
	u, err := at.Parse(href)
	if err != nil || strings.HasPrefix(href, "#") || u.Scheme != "" || u.Host != "" {
		return href, nil
	}
	if strings.HasPrefix(u.Path, "/-/static/") {
		to := "static/" + path.Base(u.Path)
		if !s.static[to] {
			got, err := s.fetch(u.Path)
			if err == nil {
				err = s.write(to, got.Bytes())
			}
			if err != nil {
				return "", err
			}
			s.static[to] = true
		}
		return relative(file, to), nil
	}
	rest, ok := strings.CutPrefix(u.EscapedPath(), s.Base)
	if !ok {
		return "", nil
	}
	if u, err = s.thread(u, rest); err != nil {
		return "", err
	}
	to := s.file(u)
	if to == "" {
		return "", nil
	}
	if u.Path == at.Path {
		n, _ := strconv.Atoi(u.Query().Get("p")) // 0 for the first
		s.last = max(s.last, n)
	}
	if strings.Contains(rest, "/att/") && strings.HasPrefix(u.Path, at.Path) {
		got, err := s.fetch(u.EscapedPath())
		if err == nil {
			err = s.write(to, got.Bytes())
		}
		if err != nil {
			return "", err
		}
	}
	link := relative(file, to)
	if u.Fragment != "" {
		link += "#" + u.EscapedFragment()
	}
	return link, nil
}

// thread follows a link that leads to a thread by another of its messages than the first.
func (s *site) thread(u *url.URL, rest string) (*url.URL, error) {
	segment, ok := strings.CutPrefix(rest, "t/")
	if !ok {
		return u, nil
	}
	id, err := url.PathUnescape(strings.TrimSuffix(segment, "/"))
	if err != nil {
		return u, nil
	}
	root, err := s.root(id)
	if err != nil || root == id {
		return u, err
	}
	if root == "" {
		return &url.URL{}, nil
	}
	got, err := s.ask(u.EscapedPath())
	if err != nil {
		return nil, err
	}
	return u.Parse(got.header.Get("Location"))
}

// relative returns how a page leads to another file of the folder.
func relative(from, to string) string {
	up := strings.Count(from, "/")
	var segments []string
	for segment := range strings.SplitSeq(to, "/") {
		segments = append(segments, archive.EscapeSegment(segment))
	}
	return strings.Repeat("../", up) + strings.Join(segments, "/")
}

// file returns the place of a page or file in the folder, "" for none.
func (s *site) file(u *url.URL) string {
	rest, ok := strings.CutPrefix(u.EscapedPath(), s.Base)
	if !ok {
		return ""
	}
	index := "index.html"
	if n, err := strconv.Atoi(u.Query().Get("p")); err == nil && n > 1 {
		index = fmt.Sprintf("p%d.html", n)
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil {
			return ""
		}
		parts[i] = plain
	}
	leaf := parts[len(parts)-1]
	folders := parts[:len(parts)-1]
	switch {
	case len(folders) == 0 && leaf == "":
		return index
	case len(folders) == 1 && leaf == "": // a month
		return fileName(folders[0]) + "/" + index
	case len(folders) < 2 || folders[0] != "m" && folders[0] != "t":
		return ""
	}
	out := []string{folders[0], fileName(folders[1])}
	folders = folders[2:]
	if len(folders) > 0 && folders[0] != "att" { // which message of that ID
		out = append(out, fileName(folders[0]))
		folders = folders[1:]
	}
	switch {
	case len(folders) == 0 && leaf == "":
		out = append(out, index)
	case len(folders) == 0 && leaf == "raw":
		out = append(out, "raw.txt")
	case len(folders) == 2 && folders[0] == "att":
		out = append(out, "att", fileName(folders[1]), attachmentName(folders[1], leaf))
	default:
		return ""
	}
	return strings.Join(out, "/")
}

// longestName is how long a file's name may be, in bytes.
const longestName = 150

// fileName returns a name that every file system and every web server takes as it is: s itself where it is one.
func fileName(s string) string {
	odd := strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@._+=-", r))
	})
	if odd || s == "" || len(s) > longestName || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
		sum := sha256.Sum256([]byte(s))
		return "x-" + hex.EncodeToString(sum[:16])
	}
	return s
}

// shownAsFiles are the endings of files that web servers neither run nor show as a page that may hold scripts.
var shownAsFiles = map[string]bool{
	".txt": true, ".log": true, ".csv": true, ".diff": true, ".patch": true, ".pdf": true, ".png": true, ".jpg": true, ".jpeg": true,
	".gif": true, ".webp": true, ".zip": true, ".gz": true, ".doc": true, ".docx": true, ".xls": true, ".xlsx": true, ".ppt": true,
	".pptx": true, ".odt": true, ".ods": true, ".odp": true, ".ics": true, ".pcap": true, ".asc": true, ".sig": true, ".mp3": true, ".mp4": true,
}

// attachmentName returns the name of an attachment's file.
func attachmentName(n, name string) string {
	ending := strings.ToLower(path.Ext(name))
	base := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' {
			return r
		}
		return '_' // dots too: some servers look at every ending of a name
	}, strings.TrimSuffix(name, path.Ext(name)))
	if !shownAsFiles[ending] || base == "" || len(base) > longestName {
		return "attachment-" + fileName(n) + ".bin"
	}
	return base + ending
}
