package web

import "net/http"

// robots keeps crawlers away from what is not for reading and from what makes work, and asks them to be slow. What is not for
// search engines says so itself, by X-Robots-Tag: a crawler that may not look does not see it.
func (s *site) robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte(`User-agent: *
Disallow: /-/
Disallow: /*/search
Disallow: /*.mbox.gz$
Disallow: /*/raw$
Disallow: /*.json$
Crawl-delay: 1
Sitemap: ` + s.Site.URL + `/sitemap.xml
`))
}
