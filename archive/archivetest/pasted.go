package archivetest

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// technical is a line that a router could have written.
func (c *Corpus) technical() string {
	return fmt.Sprintf("BGP neighbor 192.0.2.%d AS%d 2001:db8:%x::%x/48 r%d.pop%d.example.net up %d", c.r.IntN(256), 64496+c.r.IntN(16), c.r.IntN(9999), c.r.IntN(99), c.r.IntN(50), c.r.IntN(20), c.r.IntN(100000))
}

// pasted is what operators show each other, in lines: a few dozen mostly, some hundred now and then.
func (c *Corpus) pasted() []string {
	kinds := []func(int) string{c.config, c.trace, c.log, c.route, c.patch}
	kind := c.r.IntN(len(kinds))
	var lines []string
	if kind == 4 {
		name := c.of(c.en[:500])
		lines = append(lines, fmt.Sprintf("diff --git a/filters/%s.conf b/filters/%s.conf", name, name), fmt.Sprintf("index %07x..%07x 100644", c.r.IntN(1<<28), c.r.IntN(1<<28)),
			"--- a/filters/"+name+".conf", "+++ b/filters/"+name+".conf")
	}
	n := min(mostPasted, 8+int(8*math.Pow(1-c.r.Float64(), -0.9)))
	for i := range n {
		lines = append(lines, strings.Split(kinds[kind](i), "\n")...)
	}
	return lines
}

func (c *Corpus) host() string {
	return fmt.Sprintf("r%d.pop%d.example.net", c.r.IntN(50), c.r.IntN(20))
}

// config is a stanza of a router's configuration.
func (c *Corpus) config(int) string {
	switch c.r.IntN(3) {
	case 0:
		return fmt.Sprintf("interface xe-0/%d/%d\n description %s to %s\n ip address 192.0.2.%d 255.255.255.254\n ipv6 address 2001:db8:%x::%x/127\n mtu 9100\n!", c.r.IntN(8), c.r.IntN(48), c.of(c.en[:300]), c.host(), c.r.IntN(256), c.r.IntN(9999), c.r.IntN(99))
	case 1:
		return fmt.Sprintf(" neighbor 198.51.100.%d remote-as %d\n neighbor 198.51.100.%d description %s\n neighbor 198.51.100.%d route-map %s-in in", c.r.IntN(256), 64496+c.r.IntN(16), c.r.IntN(256), c.of(c.en[:300]), c.r.IntN(256), c.of(c.en[:300]))
	}
	return fmt.Sprintf("ip prefix-list %s seq %d permit 203.0.113.%d/%d le 24", c.of(c.en[:300]), 5*c.r.IntN(200), 16*c.r.IntN(16), 20+c.r.IntN(5))
}

// trace is a line of a traceroute.
func (c *Corpus) trace(i int) string {
	ms := 0.3 + float64(i)*c.r.Float64()*4
	return fmt.Sprintf("%2d  %s (192.0.2.%d)  %.3f ms  %.3f ms  %.3f ms", i+1, c.host(), c.r.IntN(256), ms, ms+c.r.Float64(), ms+c.r.Float64())
}

// log is a line of a log.
func (c *Corpus) log(i int) string {
	return fmt.Sprintf("%s %s rpd[%d]: %s_%s: peer 192.0.2.%d (External AS %d) changed state from Established to Idle, %s", Start.Add(time.Duration(c.n)*Every+time.Duration(i)*time.Second).Format("Jan _2 15:04:05"), c.host(), 1000+c.r.IntN(9000),
		strings.ToUpper(c.of(c.en[:300])), strings.ToUpper(c.of(c.en[:300])), c.r.IntN(256), 64496+c.r.IntN(16), c.zipf(c.en))
}

// route is a line of a table of routes.
func (c *Corpus) route(int) string {
	return fmt.Sprintf(" *>  203.0.113.%d/%d      192.0.2.%-3d           0    %3d      0 %d %d %d i", 16*c.r.IntN(16), 24+c.r.IntN(8), c.r.IntN(256), 10*c.r.IntN(30), 64496+c.r.IntN(16), 64496+c.r.IntN(16), 64496+c.r.IntN(16))
}

// patch is a line of a patch, or the head of a hunk.
func (c *Corpus) patch(i int) string {
	if i%12 == 0 {
		return fmt.Sprintf("@@ -%d,12 +%d,12 @@ filter %s {", 10*i+1, 10*i+1, c.of(c.en[:500]))
	}
	return fmt.Sprintf("%c   %s %s 203.0.113.%d/24; /* %s %s */", "    +-"[c.r.IntN(6)], c.of(c.en[:300]), c.of(c.en[:300]), c.r.IntN(256), c.zipf(c.en), c.zipf(c.en))
}
