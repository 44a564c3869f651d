package main

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what something took: on the clock, and of the processors. The time of the processors does not depend on what
// else the machine does, but for its caches.
type cost struct {
	took         time.Duration
	user, system time.Duration // of kairan
	bench        time.Duration // of the bench: sink and poster, or a floor
}

func (c cost) kairan() time.Duration { return c.user + c.system }

// less is what was spent since an earlier reading.
func (c cost) less(before cost) cost {
	return cost{took: c.took, user: c.user - before.user, system: c.system - before.system, bench: c.bench - before.bench}
}

// plus adds what comes after c.
func (c cost) plus(o cost) cost {
	return cost{took: c.took + o.took, user: c.user + o.user, system: c.system + o.system, bench: c.bench + o.bench}
}

// per divides by a number of copies.
func (c cost) per(copies int) cost {
	n := time.Duration(copies)
	return cost{took: c.took / n, user: c.user / n, system: c.system / n, bench: c.bench / n}
}

// spend runs something that returns its time on the clock, and adds the time of the processors. d may be nil.
func (b *bench) spend(d *daemon, run func() (time.Duration, error)) (cost, error) {
	before, err1 := d.cpu()
	took, err := run()
	after, err2 := d.cpu()
	c := after.less(before)
	c.took = took
	return c, cmp.Or(err, err1, err2)
}

// cpu reads the time of the processors: the bench's, and the daemon's if d is not nil.
func (d *daemon) cpu() (c cost, err error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return c, err
	}
	c.bench = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if d == nil {
		return c, nil
	}
	c.user, c.system, err = timeOf(d.cmd.Process.Pid)
	return c, err
}

// timeOf is the processor time that a process has used.
func timeOf(pid int) (user, system time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	const utime, stime, tick = 11, 12, 10 * time.Millisecond // proc(5); USER_HZ is 100
	fields := strings.Fields(rest)
	if len(fields) <= stime {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %q", stat)
	}
	u, err1 := strconv.Atoi(fields[utime])
	s, err2 := strconv.Atoi(fields[stime])
	return time.Duration(u) * tick, time.Duration(s) * tick, cmp.Or(err1, err2)
}

// work says who used the processors for a copy.
func (c cost) work() string {
	return fmt.Sprintf("a copy took %s of kairan and %s of the kernel for it, %s of the bench", short(c.user), short(c.system), short(c.bench))
}

// comparison is what was measured and, in turn with it, what it is compared with, both for one copy.
type comparison struct{ measured, floor []cost }

func (c *comparison) add(measured, floor cost) {
	c.measured, c.floor = append(c.measured, measured), append(c.floor, floor)
}

// row makes a figure of a comparison: each side for so many copies, the ratios are medians of those of neighbours.
// The processors' ratio counts all that worked; where kairan is on both sides the bench has the same to do and is left out.
func (c *comparison) row(figure string, copies, floorCopies int, floor string, goal float64) row {
	var clock, processors []float64
	var measured, floors durations
	for n, m := range c.measured {
		f := c.floor[n]
		measured, floors = append(measured, m.took*time.Duration(copies)), append(floors, f.took*time.Duration(floorCopies))
		clock = append(clock, float64(m.took)/float64(f.took))
		if f.kairan() > 0 {
			processors = append(processors, float64(m.kairan())/float64(f.kairan()))
		} else {
			processors = append(processors, float64(m.kairan()+m.bench)/float64(f.bench))
		}
	}
	return row{figure: figure, measured: measured.String(), floor: floors.String() + " " + floor,
		ratio: quantile(clock, 0.5), processors: quantile(processors, 0.5), goal: goal}
}
