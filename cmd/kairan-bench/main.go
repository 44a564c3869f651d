// Command kairan-bench measures kairan against floors that it measures in the same run.
//
// It builds kairan, runs it as a child process with a configuration and a store of its own on
// disk, and sends to a sink in this process; all traffic is on loopback. docs/performance.md
// says what each figure means. Figures are reported, not asserted: the exit code is 0 also when
// one is over its goal, and 1 when something could not be measured.
//
//	kairan-bench                          all parts but the longest
//	kairan-bench -run fanout50k -n 3      one part
//	kairan-bench -run all -n 3            everything, about half an hour; with -peers FOLDER the peers too
//	kairan-bench members 7000             print the members list
//	kairan-bench corpus 10000             print an mbox of so many messages
//	kairan-bench sink -listen :2600       a server that takes and counts all mail
//	kairan-bench post -to l@example.jp    post, and time it: for measuring other programs
//
// # Limits
//
// Sink, floors and kairan share the machine's cores. It runs on Linux, for it reads /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "kairan-bench:", err)
		os.Exit(1)
	}
}

// run carries out a command line: a tool's name and its flags, or flags for the parts.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "sink":
			return runSink(ctx, args[1:], out)
		case "members":
			return runMembers(args[1:], out)
		case "corpus":
			return runCorpus(args[1:], out)
		case "post":
			return runPost(ctx, args[1:], out)
		}
	}
	flags := flag.NewFlagSet("kairan-bench", flag.ContinueOnError)
	which := flags.String("run", "", "parts to run, of "+strings.Join(partNames(nil), ",")+"; all; default "+strings.Join(partNames(usual), ","))
	o := options{out: out, progress: progress}
	flags.IntVar(&o.runs, "n", 5, "runs of a part; the largest take at most 3")
	flags.IntVar(&o.members, "members", 7000, "members in place of 7,000; the larger lists grow or shrink with it")
	flags.StringVar(&o.kairan, "kairan", "", "binary to measure, instead of building it")
	flags.StringVar(&o.peersDir, "peers", "", "folder that cmd/kairan-bench/peers.sh made, for the part peers, or archive-peers.sh for archivepeers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || o.runs < 1 || o.members < 1 {
		flags.Usage()
		return flag.ErrHelp
	}
	chosen, err := choose(*which)
	if err != nil {
		return err
	}
	if *which == "all" {
		chosen = slices.DeleteFunc(chosen, func(p part) bool { return p.peers && (p.name != "peers" || o.peersDir == "") })
	}
	done, err := enterNamespace(ctx, o, chosen, args)
	if *which == "all" && errors.Is(err, errNamespace) {
		fmt.Fprintln(progress, err)
		chosen = slices.DeleteFunc(chosen, func(p part) bool { return p.direct })
		done, err = false, nil
	}
	if done || err != nil {
		return err
	}
	return measure(ctx, o, chosen)
}

// choose returns the parts that -run names, in their usual order.
func choose(names string) ([]part, error) {
	if names == "all" {
		return parts(), nil
	}
	if names == "" {
		return slices.DeleteFunc(parts(), func(p part) bool { return !usual(p) }), nil
	}
	wanted := strings.Split(names, ",")
	for _, n := range wanted {
		if !slices.Contains(partNames(nil), n) {
			return nil, fmt.Errorf("there is no part %q; there are %s", n, strings.Join(partNames(nil), ", "))
		}
	}
	return slices.DeleteFunc(parts(), func(p part) bool { return !slices.Contains(wanted, p.name) }), nil
}

// usual reports whether a part runs when none is named.
func usual(p part) bool { return !p.long }

// partNames returns the names of the parts that may be, all for nil.
func partNames(may func(part) bool) (names []string) {
	for _, p := range parts() {
		if may == nil || may(p) {
			names = append(names, p.name)
		}
	}
	return names
}
