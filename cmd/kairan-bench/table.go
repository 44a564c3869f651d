package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// durations are what was measured, of one kind.
type durations []time.Duration

// at returns the q-th quantile, 0 to 1, by nearest rank.
func (d durations) at(q float64) time.Duration { return quantile(d, q) }

// String is the median with the smallest and the largest.
func (d durations) String() string {
	if len(d) == 1 {
		return short(d[0])
	}
	return fmt.Sprintf("%s (%s-%s)", short(d.at(0.5)), short(slices.Min(d)), short(slices.Max(d)))
}

// quantile sorts a copy of all, which is not empty.
func quantile[T ~int64 | ~float64](all []T, q float64) T {
	all = slices.Sorted(slices.Values(all))
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// short rounds to three digits.
func short(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// row is a figure. A goal of 0 is none.
type row struct {
	figure, measured, floor string
	ratio                   float64
	processors              float64 // ratio of processor times, where there is one
	goal                    float64 // the largest ratio, or the largest value in unit
	least                   bool    // the goal is the smallest
	unit                    string  // of ratio and goal; "" for a ratio
}

// table is what the bench prints at its end.
type table struct{ rows []row }

func (t *table) add(r row) { t.rows = append(t.rows, r) }

func (t *table) write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "figure\tmeasured\tfloor\tratio\tgoal\t\tof processor time\t")
	for _, r := range t.rows {
		ratio, goal, verdict, processors := "", "", "", ""
		if r.ratio != 0 && r.unit == "" {
			ratio = fmt.Sprintf("%.2f", r.ratio)
		}
		if r.goal != 0 {
			sign, miss := "<=", "over"
			if r.least {
				sign, miss = ">=", "under"
			}
			goal = fmt.Sprintf("%s %.4g%s", sign, r.goal, r.unit)
			if verdict = "ok"; r.ratio != r.goal && (r.ratio < r.goal) == r.least {
				verdict = miss
			}
		}
		if r.processors != 0 {
			processors = fmt.Sprintf("%.2f", r.processors)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.figure, r.measured, r.floor, ratio, goal, verdict, processors)
	}
	return tw.Flush()
}

// bytes adds a row of memory with a goal in MB of a million bytes.
func (t *table) bytes(figure string, n int64, goal float64) {
	mb := float64(n) / 1e6
	t.add(row{figure: figure, measured: fmt.Sprintf("%.0f MB", mb), ratio: mb, goal: goal, unit: " MB"})
}
