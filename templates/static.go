package templates

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// asset is a static file, compressed once.
type asset struct {
	name    string // with its hash: "kairan.3f2a….css"
	kind    string
	plain   []byte
	gzipped []byte
}

// staticPath is where the site serves assets.
const staticPath = "/-/static/"

func readAssets() (map[string]*asset, error) {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return nil, err
	}
	assets := map[string]*asset{}
	for _, e := range entries {
		b, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		ext := path.Ext(e.Name())
		if kinds[ext] == "" {
			return nil, fmt.Errorf("static file %s: unknown type", e.Name())
		}
		sum := sha256.Sum256(b)
		var zipped bytes.Buffer
		z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		if err != nil {
			return nil, err // unreachable: the level is a constant
		}
		z.Write(b) // a buffer does not fail
		z.Close()
		assets[e.Name()] = &asset{
			name:    strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			kind:    kinds[ext],
			plain:   b,
			gzipped: zipped.Bytes(),
		}
	}
	return assets, nil
}

// StaticURL returns the path of a static file. It changes with the content, so that caches may keep it for ever.
func (s *Set) StaticURL(name string) (string, error) {
	a, ok := s.assets[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return staticPath + a.name, nil
}

// Static serves the static files under /-/static/.
func (s *Set) Static() http.Handler {
	byName := map[string]*asset{}
	for _, a := range s.assets {
		byName[staticPath+a.name] = a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byName[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	tag := `W/"` + a.name + `"`
	h.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.plain
	if acceptsGzip(r) {
		body = a.gzipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body) // an error is the reader's going away
	}
}
