package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

const (
	// posterDomain publishes SPF for loopback, so that what the poster sends is authenticated.
	posterDomain = "poster.example.com"
	posterAddr   = "ann@" + posterDomain

	providers = 36 // ISPs and companies with many members
)

// members returns a list of n members, always the same: the poster first; 35 % at one large
// provider, 45 % over some dozens of ISPs and companies, few of them large, and 20 % alone at
// their domain.
func members(n int) []string {
	all := make([]string, n)
	for i := range all {
		switch place := i % 20; {
		case i == 0:
			all[i] = posterAddr
		case place < 4:
			all[i] = fmt.Sprintf("info%06d@host%06d.example.com", i, i)
		case place < 11:
			all[i] = fmt.Sprintf("user%06d@largemail.test", i)
		default:
			even := float64(i*7919%1000) / 1000
			all[i] = fmt.Sprintf("member%06d@isp%02d.example.jp", i, int(providers*even*even))
		}
	}
	return all
}

// writeMembers writes an address a line.
func writeMembers(w io.Writer, all []string) error {
	b := bufio.NewWriter(w)
	for _, a := range all {
		b.WriteString(a + "\n")
	}
	return b.Flush()
}

func runMembers(args []string, out io.Writer) error {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n > 0 {
			return writeMembers(out, members(n))
		}
	}
	return fmt.Errorf("usage: kairan-bench members N")
}
