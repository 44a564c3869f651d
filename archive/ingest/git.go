package ingest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// maxObjects is how many messages one repository may hold.
const maxObjects = 20_000_000

// git prepares a call of git that obeys nothing of what a repository configures beyond how it is stored: only plumbing is called, which
// runs no program that the repository names.
func git(ctx context.Context, repo string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-replace-objects", "--git-dir=" + repo,
	}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C")
	return cmd
}

// inbox reads the messages of a public-inbox in the order of its commits, without those that it deleted.
func (s Source) inbox(ctx context.Context, repos []string) (iter.Seq2[Message, error], error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("%s is a git repository (public-inbox), and the program git, which reads it, is not installed here", s.Path)
	}
	return func(yield func(Message, error) bool) {
		position := uint64(0)
		for _, repo := range repos {
			objects, err := blobs(ctx, repo)
			if err != nil {
				yield(Message{}, fmt.Errorf("%s: %w", repo, err))
				return
			}
			for m, err := range s.objects(ctx, repo, objects) {
				m.Position = position
				position++
				if !yield(m, err) {
					return
				}
			}
		}
	}, nil
}

// rawLine is a line of git diff-tree: modes, blobs before and after, what was done, and the path.
var rawLine = regexp.MustCompile(`^:[0-7]+ [0-7]+ ([0-9a-f]+) ([0-9a-f]+) ([AMD])\t(.+)$`)

// paths of messages: "m" in version 2, and a SHA-1 in version 1. What version 2 deletes it writes to "d".
var messagePath = regexp.MustCompile(`^(m|[0-9a-f]{2}/[0-9a-f]{38})$`)

// blobs returns the objects that hold messages, oldest first.
func blobs(ctx context.Context, repo string) ([]string, error) {
	revs := git(ctx, repo, "rev-list", "--reverse", "HEAD")
	tree := git(ctx, repo, "diff-tree", "--stdin", "--root", "-r", "--no-commit-id", "--no-renames")
	var complaints bytes.Buffer
	revs.Stderr, tree.Stderr = &complaints, &complaints
	pipe, err := revs.StdoutPipe()
	if err != nil {
		return nil, err
	}
	tree.Stdin = pipe
	out, err := tree.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := revs.Start(); err != nil {
		return nil, err
	}
	if err := tree.Start(); err != nil {
		return nil, errors.Join(err, revs.Wait())
	}
	all, gone, scanErr := readTree(out)
	io.Copy(io.Discard, out) // so that git can end
	if err := errors.Join(scanErr, tree.Wait(), revs.Wait()); err != nil {
		return nil, fmt.Errorf("git: %w: %s", err, firstLine(complaints.Bytes()))
	}
	kept := all[:0]
	for _, id := range all {
		if !gone[id] {
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// readTree reads which objects came and which were deleted.
func readTree(out io.Reader) (all []string, gone map[string]bool, err error) {
	gone = map[string]bool{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		f := rawLine.FindStringSubmatch(lines.Text())
		switch {
		case f == nil:
		case f[4] == "d" && f[3] != "D":
			gone[f[2]] = true
		case messagePath.MatchString(f[4]) && f[3] == "D" && f[4] != "m":
			gone[f[1]] = true
		case messagePath.MatchString(f[4]) && f[3] != "D":
			if len(all) == maxObjects {
				return nil, nil, fmt.Errorf("there are more than %d messages", maxObjects)
			}
			delete(gone, f[2]) // it came again
			all = append(all, f[2])
		}
	}
	return all, gone, lines.Err()
}

// objects reads messages by their objects.
func (s Source) objects(ctx context.Context, repo string, ids []string) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		cmd := git(ctx, repo, "cat-file", "--batch", "--buffer")
		cmd.Stdin = strings.NewReader(strings.Join(ids, "\n") + "\n")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			yield(Message{}, fmt.Errorf("%s: git: %w", repo, err))
			return
		}
		defer cmd.Wait() // ends when ctx does
		r := bufio.NewReaderSize(out, 64<<10)
		for _, id := range ids {
			m, err := s.object(r, repo, id)
			if _, ok := errors.AsType[*Fault](err); err != nil && !ok {
				yield(Message{}, errors.Join(ctx.Err(), fmt.Errorf("%s: git cat-file: object %s: %w", repo, id, err)))
				return
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// object reads one answer of git cat-file: a line with name, type and length, the object, and a line end.
func (s Source) object(r *bufio.Reader, repo, id string) (Message, error) {
	file := repo + ":" + id
	m := Message{File: file}
	line, err := r.ReadString('\n')
	if err != nil {
		return m, err
	}
	f := strings.Fields(line)
	if len(f) == 2 && f[1] == "missing" {
		return m, fault(file, 0, 0, "the object is missing")
	}
	size := -1
	if len(f) == 3 {
		size, err = strconv.Atoi(f[2])
	}
	if err != nil || size < 0 {
		return m, fmt.Errorf("git answered %q", strings.TrimSpace(line))
	}
	m.End = int64(size)
	if size > s.Limit {
		_, err := r.Discard(size + 1)
		if err == nil {
			err = fault(file, 0, m.End, fmt.Sprintf("the message is longer than %d MB", s.Limit>>20))
		}
		return m, err
	}
	data := make([]byte, size+1)
	if _, err := io.ReadFull(r, data); err != nil {
		return m, err
	}
	if size == 0 {
		return m, fault(file, 0, 0, "the message is empty")
	}
	m.Raw = toCRLF(data[:size])
	return m, nil
}
