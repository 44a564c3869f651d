package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// adopt makes this process the parent of what its children leave behind, so that the time of the processors that these take is known:
// mlmmj goes on in processes of its own after it has taken a post.
func adopt() error {
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER, prctl(2)
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("adopt the children of children: %w", errno)
	}
	return nil
}

// process is a line of /proc/PID/stat.
type process struct {
	pid, parent int
	zombie      bool
	time        time.Duration // its own, and of those it has waited for
}

// processes returns those that run now.
func processes() (all []process, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		pid, _, _ := strings.Cut(string(text), " ")
		_, rest, _ := strings.Cut(string(text), ") ")
		const state, parent, utime, cstime, tick = 0, 1, 11, 14, 10 * time.Millisecond // proc(5); USER_HZ is 100
		fields := strings.Fields(rest)
		if len(fields) <= cstime {
			return nil, fmt.Errorf("%s: %q", f, text)
		}
		p := process{zombie: fields[state] == "Z"}
		var errs [2]error
		p.pid, errs[0] = strconv.Atoi(pid)
		p.parent, errs[1] = strconv.Atoi(fields[parent])
		for _, n := range fields[utime : cstime+1] {
			ticks, err := strconv.Atoi(n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			p.time += time.Duration(ticks) * tick
		}
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// timeOfTree is the processor time of a process and all below it.
func timeOfTree(root int) (sum time.Duration, err error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	below := map[int]bool{root: true}
	for more := true; more; {
		more = false
		for _, p := range all {
			if below[p.parent] && !below[p.pid] {
				below[p.pid], more = true, true
			}
		}
	}
	for _, p := range all {
		if below[p.pid] {
			sum += p.time
		}
	}
	return sum, nil
}

// timeOfChildren is the processor time of children that have ended, those that were adopted too, but for long-lived ones that still run.
func timeOfChildren() (time.Duration, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		if p.zombie && p.parent == os.Getpid() {
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(p.pid, &status, syscall.WNOHANG, nil); err != nil {
				return 0, fmt.Errorf("wait for process %d: %w", p.pid, err)
			}
		}
	}
	var u syscall.Rusage
	err = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
