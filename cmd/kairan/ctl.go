package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The store is open in one process at a time, so a command line that needs it is carried out by the running daemon, which it
// reaches over a unix socket in the data folder; only when no daemon runs does it open the store itself. Both ways end in
// the same function, execute, so there is one behaviour.
//
// The request is one POST: the arguments in a header, what the command reads (a members file) in the body. The answer is a
// stream of JSON lines, pieces of output and at the end the exit code.

// socketPath is where the daemon listens. Who can open it may do everything, so it is for the daemon's user only.
func socketPath(data string) string { return filepath.Join(data, "kairan.sock") }

// call is a command line on its way to the daemon.
type call struct {
	Args     []string `json:"args"`
	Dir      string   `json:"dir"`      // relative paths start here
	Terminal bool     `json:"terminal"` // somebody watches: show progress
}

// piece is a part of the answer.
type piece struct {
	Out  string `json:"out,omitempty"`
	Err  string `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

// ctlHandler serves the control socket: command lines at /-/run, and what is given for the other patterns.
func ctlHandler(run func(ctx context.Context, c call, std streams) int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /-/run", func(w http.ResponseWriter, r *http.Request) {
		var c call
		if err := json.Unmarshal([]byte(r.Header.Get("Kairan-Call")), &c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		// Output while the body is still being read.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		s := &pieceWriter{w: json.NewEncoder(w), flush: http.NewResponseController(w).Flush}
		exit := run(r.Context(), c, streams{
			in:  r.Body,
			out: writerFunc(func(b []byte) { s.write(piece{Out: string(b)}) }),
			err: writerFunc(func(b []byte) { s.write(piece{Err: string(b)}) }),
		})
		s.write(piece{Exit: &exit})
	})
	return mux
}

type pieceWriter struct {
	mu    sync.Mutex
	w     *json.Encoder
	flush func() error
}

func (p *pieceWriter) write(x piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w.Encode(x) == nil {
		p.flush()
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errNoDaemon says that nothing listens on the control socket.
var errNoDaemon = errors.New("no daemon runs")

// callDaemon has the daemon carry out a command line and returns its exit code, or errNoDaemon.
func callDaemon(ctx context.Context, data string, c call, std streams) (int, error) {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socketPath(data))
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://daemon/-/run", std.in)
	if err != nil {
		return 1, err
	}
	args, err := json.Marshal(c)
	if err != nil {
		return 1, err
	}
	req.Header.Set("Kairan-Call", string(args))
	resp, err := client.Do(req)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return 0, errNoDaemon
	}
	if err != nil {
		return 1, fmt.Errorf("control socket: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return 1, fmt.Errorf("control socket: %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	for d := json.NewDecoder(bufio.NewReader(resp.Body)); ; {
		var p piece
		if err := d.Decode(&p); err != nil {
			return 1, fmt.Errorf("the daemon went away before it was done: %w", err)
		}
		if p.Exit != nil {
			return *p.Exit, nil
		}
		io.WriteString(std.out, p.Out)
		io.WriteString(std.err, p.Err)
	}
}

// listenCtl opens the control socket. A socket that a killed daemon left behind is replaced: holding the
// store's lock, we are the only daemon.
func listenCtl(data string) (net.Listener, error) {
	path := socketPath(data)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(path) > 100 {
		return nil, fmt.Errorf("the data folder's name is too long for a unix socket: %s", path)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// inDir resolves a path of a call.
func (c call) path(name string) string {
	if name == "" || filepath.IsAbs(name) || strings.HasPrefix(name, "unix:") {
		return name
	}
	return filepath.Join(c.Dir, name)
}
