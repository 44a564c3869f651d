package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The accessibility checker is too large to be part of the source, so npm brings it when it is missing.
const (
	axeVersion = "4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c" // SHA-256 of axe.min.js
)

// axeScript returns the source of axe-core. Without npm the pages are looked at without it, unless KAIRAN_BROWSER says that it is required.
var axeScript = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	file := filepath.Join(cache, "kairan-test", "axe-core-"+axeVersion+".min.js")
	if b, err := os.ReadFile(file); err == nil && isAxe(b) {
		return string(b), nil
	}
	b, err := packAxe()
	if err != nil {
		return "", fmt.Errorf("npm pack axe-core@%s: %w", axeVersion, err)
	}
	if !isAxe(b) {
		return "", errors.New("this axe-core is not the one that was expected")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	own := fmt.Sprintf("%s.%d", file, os.Getpid())
	return string(b), errors.Join(os.WriteFile(own, b, 0o644), os.Rename(own, file))
})

func isAxe(b []byte) bool {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]) == axeSum
}

// packAxe has npm fetch the package, and takes the script out of it.
func packAxe() ([]byte, error) {
	dir, err := os.MkdirTemp("", "axe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	f, err := os.Open(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err != nil {
			return nil, err
		}
		if h.Name == "package/axe.min.js" {
			return io.ReadAll(io.LimitReader(in, 4<<20))
		}
	}
}

// needAxe loads the checker, or says why the pages are not checked by it.
func needAxe(t *testing.T) string {
	t.Helper()
	script, err := axeScript()
	if err != nil {
		if os.Getenv("KAIRAN_BROWSER") == "required" {
			t.Fatalf("the page tests need axe-core: %v", err)
		}
		t.Logf("NOT CHECKED by axe: %v", err)
	}
	return script
}

// runAxe returns the findings of axe on the page, one a line: "serious color-contrast: …". Best practices are looked at too.
const runAxe = `(async () => {
	const found = await axe.run(document, { resultTypes: ["violations"] });
	return found.violations.flatMap(v => v.nodes.map(n => [v.impact, " ", v.id, ": ", v.help, ": ", n.html.slice(0, 200)].join("").replace(/\s+/g, " "))).join("\n");
})()`

// axe checks the page for whoever cannot see, hear or point. Nothing serious or critical may be found, nor anything else.
func (p *tab) axe(what string) {
	p.Helper()
	if p.axeScript == "" {
		return
	}
	p.eval(p.axeScript + `; "loaded"`)
	for finding := range strings.Lines(p.eval(runAxe)) {
		p.Errorf("%s (%s): axe: %s", what, p.path(), strings.TrimSpace(finding))
	}
}
