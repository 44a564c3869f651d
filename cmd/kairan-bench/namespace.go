package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// insideNamespace is set in the environment of the bench that runs in a network of its own.
const insideNamespace = "KAIRAN_BENCH_NAMESPACE"

// errNamespace says that the system lets us have none.
var errNamespace = errors.New("a network of its own cannot be had here")

// network is the part of 192.0.2.0/24 that the mail hosts of the direct parts have, on the loopback interface of the
// bench's own network. Nothing there can be reached from elsewhere, and nothing elsewhere from there.
const (
	firstHost = 10
	lastHost  = 70
)

// runInNamespace runs the same command line again in a network of its own, where port 25 and the addresses of mail hosts are free.
func runInNamespace(ctx context.Context, args []string, out, progress io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), insideNamespace+"=1")
	cmd.Stdout, cmd.Stderr = out, progress
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", errNamespace, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("in a network of its own: %w", err)
	}
	return nil
}

// setUpNamespace gives the loopback interface of the bench's own network its addresses. Packets are acknowledged at once there:
// mlmmj writes a message in three pieces, and would wait 40 ms for each delayed acknowledgement. So it is measured at its best.
func setUpNamespace(ctx context.Context) error {
	script := fmt.Sprintf(`ip link set lo up &&
for to in 127.0.0.0/8 127.0.0.1; do
	ip route replace table local local $to dev lo proto kernel scope host src 127.0.0.1 quickack 1 || exit 1
done
for n in $(seq %d %d); do ip addr add 192.0.2.$n/32 dev lo || exit 1; done`, firstHost, lastHost)
	if text, err := exec.CommandContext(ctx, "sh", "-c", script).CombinedOutput(); err != nil {
		return fmt.Errorf("addresses of a network of its own (with ip of iproute2): %w\n%s", err, text)
	}
	return nil
}

// enterNamespace makes sure that parts that need a network of their own have one. done says that they have run in it.
func enterNamespace(ctx context.Context, o options, chosen []part, args []string) (done bool, err error) {
	if os.Getenv(insideNamespace) != "" {
		return false, setUpNamespace(ctx)
	}
	if !slices.ContainsFunc(chosen, func(p part) bool { return p.direct }) {
		return false, nil
	}
	return true, runInNamespace(ctx, args, o.out, o.progress)
}
