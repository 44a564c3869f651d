package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Source is something to import.
type Source struct {
	Path    string
	Dialect Dialect   // of an mbox
	Stdin   io.Reader // read instead of Path, if not nil
	Limit   int       // bytes of one message
}

// Open tells what the source is and returns its messages, each with nil or a *[Fault]; any other error is the last, and says what could not be read.
// size is its length in bytes, or 0 where that is not known before.
func (s Source) Open(ctx context.Context) (messages iter.Seq2[Message, error], size int64, err error) {
	if s.Stdin != nil {
		return s.stream(ctx, s.Stdin, time.Now()), 0, nil
	}
	info, err := os.Stat(s.Path)
	if err != nil {
		return nil, 0, err
	}
	if !info.IsDir() {
		size := info.Size()
		if strings.HasSuffix(s.Path, ".gz") {
			size = 0
		}
		return s.file(ctx, info.ModTime()), size, nil
	}
	if repos := repositories(s.Path); len(repos) > 0 {
		messages, err := s.inbox(ctx, repos)
		return messages, 0, err
	}
	files, size, err := folder(s.Path)
	if err != nil {
		return nil, 0, err
	}
	return s.files(ctx, files, isMaildir(s.Path)), size, nil
}

// file reads an mbox.
func (s Source) file(ctx context.Context, modified time.Time) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		f, err := os.Open(s.Path)
		if err != nil {
			yield(Message{}, err)
			return
		}
		defer f.Close()
		for m, err := range s.stream(ctx, f, modified) {
			if !yield(m, err) {
				return
			}
		}
	}
}

// stream reads an mbox, gzipped or not, or a single message.
func (s Source) stream(ctx context.Context, r io.Reader, modified time.Time) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
			z, err := gzip.NewReader(in)
			if err != nil {
				yield(Message{}, fmt.Errorf("%s: %w", s.Path, err))
				return
			}
			in = bufio.NewReaderSize(z, 64<<10)
		}
		in = plain(in)
		if start, _ := in.Peek(8); packing(start) != "" {
			yield(Message{File: s.Path}, fault(s.Path, 0, 0, "this is packed ("+packing(start)+"): unpack it, and import what is in it"))
			return
		}
		if start, _ := in.Peek(maxEnvelope); isField(firstLine(start)) && s.Dialect == Auto {
			m, err := s.single(in, s.Path)
			m.Modified = modified
			yield(m, err)
			return
		}
		for m, err := range readMbox(in, s.Path, s.Dialect, s.Limit) {
			m.Modified = modified
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if !yield(m, err) || ctx.Err() != nil {
				return
			}
		}
	}
}

// plain takes off a byte order mark, and ends lines with LF where only CR does, as on old Macs.
func plain(in *bufio.Reader) *bufio.Reader {
	if start, _ := in.Peek(3); string(start) == "\ufeff" {
		in.Discard(3) // they were just seen
	}
	start, _ := in.Peek(in.Size())
	if bytes.IndexByte(start, '\r') < 0 || bytes.IndexByte(start, '\n') >= 0 {
		return in
	}
	return bufio.NewReaderSize(macLines{in}, in.Size())
}

// macLines reads CR as LF.
type macLines struct{ r io.Reader }

func (m macLines) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// packing names the program that packed a file, by its first bytes, or "". We unpack what gzip packed.
func packing(start []byte) string {
	for name, magic := range map[string]string{"bzip2": "BZh", "xz": "\xfd7zXZ\x00", "zstd": "\x28\xb5\x2f\xfd", "zip": "PK\x03\x04", "lha": "-lh", "compress": "\x1f\x9d"} {
		if at := bytes.Index(start, []byte(magic)); at == 0 || name == "lha" && at == 2 {
			return name
		}
	}
	return ""
}

// single reads one message.
func (s Source) single(r io.Reader, file string) (Message, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(s.Limit)+1))
	m := Message{File: file, End: int64(len(data))}
	switch {
	case err != nil:
		return m, err
	case len(data) > s.Limit:
		return m, fault(file, 0, m.End, fmt.Sprintf("the message is longer than %d MB", s.Limit>>20))
	case len(data) == 0:
		return m, fault(file, 0, 0, "the message is empty")
	}
	m.Raw = toCRLF(data)
	return m, nil
}

// files reads a message from each file; only in a Maildir it is sure that a file is no mbox.
func (s Source) files(ctx context.Context, files []string, maildir bool) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		position := uint64(0)
		for _, name := range files {
			if err := ctx.Err(); err != nil {
				yield(Message{}, err)
				return
			}
			for m, err := range s.inFile(ctx, name, maildir) {
				m.Position = position
				position++
				if !yield(m, err) {
					return
				}
			}
		}
	}
}

// inFile reads what is in a file of a folder. What cannot be read is a fault: the other files can.
func (s Source) inFile(ctx context.Context, name string, maildir bool) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if maildir {
			yield(s.one(name))
			return
		}
		f, info, err := openFile(name)
		if err != nil {
			yield(Message{File: name}, err)
			return
		}
		defer f.Close()
		s.Path = name
		end := int64(0)
		for m, err := range s.stream(ctx, f, info.ModTime()) {
			if _, ok := errors.AsType[*Fault](err); err != nil && !ok && ctx.Err() == nil {
				err = fault(name, end, end, err.Error())
			}
			end = m.End
			if !yield(m, err) {
				return
			}
		}
	}
}

// openFile opens a file of a folder.
func openFile(name string) (f *os.File, info os.FileInfo, err error) {
	f, err = os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		// A mail program renames files of a Maildir while it is in use.
		return nil, nil, fault(name, 0, 0, "the file has gone; import again")
	}
	if err != nil {
		return nil, nil, fault(name, 0, 0, err.Error())
	}
	info, err = f.Stat()
	switch {
	case err == nil && info.IsDir():
		return nil, nil, errors.Join(fault(name, 0, 0, "this is a folder: import it by its own path"), f.Close())
	case err != nil || !info.Mode().IsRegular():
		return nil, nil, errors.Join(fault(name, 0, 0, "this is no file"), f.Close())
	}
	return f, info, nil
}

// one reads the message in a file of a Maildir.
func (s Source) one(name string) (Message, error) {
	f, info, err := openFile(name)
	if err != nil {
		return Message{File: name}, err
	}
	defer f.Close()
	m, err := s.single(plain(bufio.NewReader(f)), name)
	m.Modified = info.ModTime()
	if _, ok := errors.AsType[*Fault](err); err != nil && !ok {
		err = fault(name, 0, 0, err.Error())
	}
	return m, err
}

// toCRLF ends every line with CRLF.
func toCRLF(data []byte) []byte {
	b := make([]byte, 0, len(data)+len(data)/16)
	for len(data) > 0 {
		line := firstLine(data)
		data = data[len(line):]
		for _, end := range []string{"\n", "\r"} {
			if n := len(line); n > 0 && line[n-1] == end[0] {
				line = line[:n-1]
			}
		}
		b = append(append(b, line...), "\r\n"...)
	}
	return b
}

// repositories returns the git folders of a public-inbox, oldest first: all of version 2, the only one of version 1; none if it is something else.
func repositories(path string) []string {
	for _, name := range []string{path, filepath.Join(path, ".git")} {
		if isRepository(name) {
			return []string{name}
		}
	}
	var all []string
	for n := 0; ; n++ {
		name := filepath.Join(path, "git", fmt.Sprintf("%d.git", n))
		if !isRepository(name) {
			return all
		}
		all = append(all, name)
	}
}

func isRepository(path string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return false
		}
	}
	return true
}
