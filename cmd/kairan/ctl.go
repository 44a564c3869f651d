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

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The store is open in one process at a time, so a command line that needs it is carried out by the running daemon, which it
// reaches over a unix socket in the data folder; only when no daemon runs does it open the store itself. Both ways end in
// the same function, App.run, so there is one behaviour.
//
// The request is one POST: the arguments in a header, what the command reads (a members file) in the body. The answer is a
// stream of JSON lines, pieces of output and at the end the exit code. A client that goes away ends the command's context.

// socketPath is where the daemon listens. Who can open it may do everything, so it is for the daemon's user only.
func socketPath(data string) string { return filepath.Join(data, "kairan.sock") }

// call is a command line on its way to the daemon.
type call struct {
	Args     []string `json:"args"`
	Dir      string   `json:"dir"`      // relative paths start here
	Terminal bool     `json:"terminal"` // somebody watches: show progress
}

// piece is a part of the answer. It may end within a character.
type piece struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

// ctl is what the control socket serves: command lines, and metrics for Prometheus.
func (app *App) ctl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /-/run", app.runCall)
	mux.Handle("GET /-/metrics", promhttp.HandlerFor(app.metrics(), promhttp.HandlerOpts{}))
	return mux
}

// runCall carries out a command line and streams what it prints.
func (app *App) runCall(w http.ResponseWriter, r *http.Request) {
	var c call
	if err := json.Unmarshal([]byte(r.Header.Get(callHeader)), &c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// Output while the body is still being read.
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	// A command may end before it has read all: nothing else comes on this connection.
	w.Header().Set("Connection", "close")
	s := &pieceWriter{w: json.NewEncoder(w), flush: http.NewResponseController(w).Flush}
	exit := app.run(r.Context(), c, streams{
		in:  r.Body,
		out: writerFunc(func(b []byte) { s.write(piece{Out: b}) }),
		err: writerFunc(func(b []byte) { s.write(piece{Err: b}) }),
	})
	s.write(piece{Exit: &exit})
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

// callHeader carries the call as JSON.
const callHeader = "Kairan-Call"

// callDaemon has the daemon carry out a command line and returns its exit code, or errNoDaemon; then std.in is untouched.
func callDaemon(ctx context.Context, data string, c call, std streams) (int, error) {
	if len(socketPath(data)) > maxSocketPath {
		return 0, errNoDaemon // none could listen there
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socketPath(data))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return 0, errNoDaemon
	}
	if err != nil {
		return 1, fmt.Errorf("control socket: %w", err)
	}
	defer conn.Close()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://daemon/-/run", abandon(ctx, std.in))
	if err != nil {
		return 1, err
	}
	args, err := json.Marshal(c)
	if err != nil {
		return 1, err
	}
	// JSON leaves one character alone that a header must not have.
	req.Header.Set(callHeader, strings.ReplaceAll(string(args), "\x7f", `\u007f`))
	resp, err := client.Do(req)
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
		std.out.Write(p.Out)
		std.err.Write(p.Err)
	}
}

// abandon reads from in until ctx ends, though in may be a terminal at which nobody types.
func abandon(ctx context.Context, in io.Reader) io.Reader {
	if in == nil {
		return nil
	}
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	return r
}

// maxSocketPath is what every system takes as the name of a unix socket.
const maxSocketPath = 100

// listenCtl opens the control socket. A socket that a killed daemon left behind is replaced: holding the
// store's lock, we are the only daemon.
func listenCtl(data string) (net.Listener, error) {
	path := socketPath(data)
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the data folder's name is too long for a unix socket: %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// path resolves a path that the caller named.
func (c call) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}
