package templates

import (
	"strconv"
	"strings"
)

// Chart is numbers over time as a picture of bars, one on the other, and the same numbers in a table.
type Chart struct {
	ID, Title, Desc string
	Series          []string // what the colours mean, the lowest first
	Columns         []ChartColumn
	Heads           []string   // of the table
	Rows            [][]string // of the table; the first cell is its head
	// Down says that the last series grows down from a line: what is lost, below what is won.
	Down bool
}

// ChartColumn is a moment in a chart: a value for each series.
type ChartColumn struct {
	Label  string
	Values []int
}

// chartHeight is the height of a picture, and chartStep what a column takes of its width, in units that the page stretches.
const (
	chartHeight = 120
	chartStep   = 10
)

// ChartBar is a bar of the picture.
type ChartBar struct {
	Class               int // the series, from 1
	X, Y, Width, Height int
}

// ChartGroup is the bars of a column, and what they say.
type ChartGroup struct {
	Text string
	Bars []ChartBar
}

// Width of the picture.
func (c *Chart) Width() int { return max(1, len(c.Columns)) * chartStep }

// Height of the picture.
func (c *Chart) Height() int { return chartHeight }

// Empty reports whether there is nothing to be seen.
func (c *Chart) Empty() bool {
	up, down := c.highest()
	return up+down == 0
}

// Most is the highest column, Least the deepest below the line.
func (c *Chart) Most() string  { up, _ := c.highest(); return Number(up) }
func (c *Chart) Least() string { _, down := c.highest(); return Number(down) }

// First and Last are the labels at both ends.
func (c *Chart) First() string { return c.label(0) }
func (c *Chart) Last() string  { return c.label(len(c.Columns) - 1) }

func (c *Chart) label(i int) string {
	if i < 0 || i >= len(c.Columns) {
		return ""
	}
	return c.Columns[i].Label
}

func (c *Chart) highest() (up, down int) {
	for _, col := range c.Columns {
		above, below := c.split(col)
		up, down = max(up, above), max(down, below)
	}
	return up, down
}

// split is how high a column goes above the line and below it.
func (c *Chart) split(col ChartColumn) (up, down int) {
	for i, v := range col.Values {
		if c.Down && i == len(col.Values)-1 {
			down += v
			continue
		}
		up += v
	}
	return up, down
}

// Line is where the bars begin.
func (c *Chart) Line() int {
	up, down := c.highest()
	return chartHeight * up / max(1, up+down)
}

// Groups are the bars of the picture. What is there is seen, however small.
func (c *Chart) Groups() (groups []ChartGroup) {
	up, down := c.highest()
	line := c.Line()
	for i, col := range c.Columns {
		g := ChartGroup{Text: col.Label}
		y := line
		for j, v := range col.Values {
			if v == 0 {
				continue
			}
			g.Text += ", " + c.Series[j] + ": " + Number(v)
			b := ChartBar{Class: j + 1, X: i*chartStep + 1, Width: chartStep - 2, Height: max(2, chartHeight*v/max(1, up+down))}
			if c.Down && j == len(col.Values)-1 {
				b.Y = line
			} else {
				y = max(0, y-b.Height)
				b.Y = y
			}
			g.Bars = append(g.Bars, b)
		}
		if len(g.Bars) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// Share is a row of a table with a bar: how much of all it is.
type Share struct {
	Label string
	Cells []string
	Width int // of 100
}

// Number writes a count with its thousands apart.
func Number(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
