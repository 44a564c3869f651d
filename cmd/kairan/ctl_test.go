package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClientGoesAway: a command ends when the one who waits for it is gone.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, t.TempDir(), "", nil).withList()
	dir := t.TempDir()
	l, err := net.Listen("unix", socketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	began, ended := make(chan struct{}), make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		s.app.runCall(w, r)
		close(ended)
	})}
	go server.Serve(l)
	defer server.Close()

	ctx, cancel := context.WithCancel(t.Context())
	in, never := io.Pipe()
	defer never.Close()
	called := make(chan error, 1)
	go func() {
		_, err := callDaemon(ctx, dir, call{Args: []string{"member", "import", testList, "-"}}, streams{in: in, out: io.Discard, err: io.Discard})
		called <- err
	}()
	if _, err := io.WriteString(never, strings.Repeat("# nothing but comments\n", 1000)); err != nil {
		t.Fatal(err)
	}
	<-began
	cancel()
	if err := <-called; !errors.Is(err, context.Canceled) {
		t.Errorf("the client: %v", err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the command goes on without its client")
	}
}

// TestNoDaemon: what a command reads is untouched when no daemon takes it, and then the command reads it itself.
func TestNoDaemon(t *testing.T) {
	t.Parallel()
	in, err := os.Open("ctl_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	left := filepath.Join(t.TempDir(), "left")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socketPath(left)})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as a killed daemon leaves it
	l.Close()
	for _, data := range []string{t.TempDir(), left, filepath.Join(t.TempDir(), strings.Repeat("x", 200))} {
		if _, err := callDaemon(t.Context(), data, call{}, streams{in: in}); !errors.Is(err, errNoDaemon) {
			t.Errorf("%s: %v", data, err)
		}
	}
	if b, err := io.ReadAll(in); err != nil || !bytes.HasPrefix(b, []byte("package main")) {
		t.Errorf("%q, %v", b[:min(20, len(b))], err)
	}
}

// TestCallArgs: arguments arrive as they were given, whatever a header may hold.
func TestCallArgs(t *testing.T) {
	t.Parallel()
	s := newSite(t, t.TempDir(), "", nil)
	var out, errs bytes.Buffer
	code, err := callDaemon(t.Context(), s.app.Config.Data, call{Args: []string{"trace", "回覧\x7f\r\n\x00"}}, streams{out: &out, err: &errs})
	if err != nil || code != 1 || !strings.Contains(errs.String(), "nothing is known of <回覧\x7f") {
		t.Errorf("%d, %v: %q %q", code, err, &out, &errs)
	}
	code, err = callDaemon(t.Context(), s.app.Config.Data, call{Args: []string{"serve"}}, streams{out: &out, err: &errs})
	if err != nil || code != 2 {
		t.Errorf("serve in the daemon: %d, %v", code, err)
	}
}

func TestProgressBar(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	update, end := progressBar(call{}, &b, "copying")
	update(1, 2)
	end()
	if b.Len() > 0 {
		t.Errorf("%q, and nobody watches", b.String())
	}
	update, end = progressBar(call{Terminal: true}, &b, "copying")
	update(0, 0)
	update(2, 2)
	end()
	if want := "\rcopying [" + strings.Repeat("#", 30) + "] 2/2\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	if got := printable("回覧\x1b[31m\u202e\u009b\n"); got != "回覧\ufffd[31m\ufffd\ufffd\ufffd" {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	table(&b, func(row func(...any)) {
		row("a", "long", "")
		row("long", "", "x")
	})
	if want := "a     long\nlong        x\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
