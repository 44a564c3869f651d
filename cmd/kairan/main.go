// Command kairan is a mailing-list manager: one binary, no second service.
//
// It is wired in assemble.go; the path of a post is in list/posting.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"kairan/storage"
)

// commands is the tree of commands. docs/cli.md is made from it.
type commands struct {
	ConfigFile string `name:"config" short:"c" env:"KAIRAN_CONFIG" placeholder:"FILE" help:"Configuration file (default: kairan.toml here, then /etc/kairan/kairan.toml)."`

	Serve   serveCmd   `cmd:"" help:"Run the daemon."`
	Demo    demoCmd    `cmd:"" help:"Try Kairan here: two lists, fifty people, no network, no root."`
	Init    initCmd    `cmd:"" help:"Ask what a site needs, write its configuration and show the DNS records to publish."`
	Config  configCmd  `cmd:"" help:"Check the configuration and print it with every default."`
	Login   loginCmd   `cmd:"" help:"Print a link that signs an address in on the web."`
	List    listCmd    `cmd:"" help:"Mailing lists."`
	Member  memberCmd  `cmd:"" help:"Members, owners and moderators."`
	Person  personCmd  `cmd:"" help:"People with several addresses."`
	Ban     banCmd     `cmd:"" help:"Who may neither post to a list nor join it."`
	Held    heldCmd    `cmd:"" help:"Posts that wait for a moderator."`
	Text    textCmd    `cmd:"" help:"The words of the mails that Kairan writes."`
	Queue   queueCmd   `cmd:"" help:"Copies that wait to leave."`
	Archive archiveCmd `cmd:"" help:"The archives."`
	Trace   traceCmd   `cmd:"" help:"Tell everything about a message: what came, what was decided, who got it."`
	DNS     dnsCmd     `cmd:"" name:"dns" help:"Compare what the DNS says about a domain of a list with what it needs."`
	Dkim    dkimCmd    `cmd:"" help:"Show the DNS records to publish for a domain, and make its DKIM key if there is none."`
	Check   checkCmd   `cmd:"" help:"Verify store, archives and blobs against each other."`
	Backup  backupCmd  `cmd:"" help:"Write a consistent copy of everything into a new folder, while the daemon runs."`
	Restore restoreCmd `cmd:"" help:"Make the data folder from a backup."`
}

// local is a command that runs in this process and needs no store of a site.
type local interface {
	runLocal(ctx context.Context, c *commands, std streams) error
}

// remote is a command that runs where the store is open.
type remote interface {
	run(ctx context.Context, app *App, c call, std streams) error
}

// reader is a remote command that reads a file of the caller's.
type reader interface{ inputFile() string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends us at once
	os.Exit(run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// usageError is a wrong command line: exit code 2.
type usageError struct{ error }

// run carries out a command line and returns the exit code: 0 ok, 1 failed, 2 usage.
func run(ctx context.Context, args []string, std streams) int {
	cmds, cmd, exit := parse(args, std)
	if cmd == nil {
		return exit
	}
	var err error
	switch cmd := cmd.(type) {
	case local:
		err = cmd.runLocal(ctx, cmds, std)
	case remote:
		var code int
		if code, err = runWhereStoreIs(ctx, cmds, cmd, args, std); err == nil {
			return code
		}
	}
	return report(err, std)
}

// report prints an error and returns its exit code.
func report(err error, std streams) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(std.err, "kairan:", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}

func newParser(cmds *commands, std streams, exit func(code int)) (*kong.Kong, error) {
	return kong.New(cmds, kong.Name("kairan"),
		kong.Description("A mailing-list manager: one binary, no second service."),
		kong.Writers(std.out, std.err),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
}

// parse returns the command that args select; nil means that all is said and exit is the exit code.
func parse(args []string, std streams) (cmds *commands, cmd any, exit int) {
	cmds = &commands{}
	done := -1
	parser, err := newParser(cmds, std, func(code int) { done = code })
	if err != nil {
		panic(err) // unreachable: the tree above is sound
	}
	k, err := parser.Parse(args)
	if done >= 0 {
		return nil, nil, done
	}
	if err != nil {
		fmt.Fprintf(std.err, "kairan: %v\nTry `kairan --help`.\n", err)
		return nil, nil, 2
	}
	return cmds, k.Selected().Target.Addr().Interface(), 0
}

// runWhereStoreIs has the daemon carry the command out, or opens the store if no daemon runs.
func runWhereStoreIs(ctx context.Context, cmds *commands, cmd remote, args []string, std streams) (int, error) {
	file, err := findConfig(cmds.ConfigFile)
	if err != nil {
		return 1, err
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return 1, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return 1, err
	}
	c := call{Args: args, Dir: dir, Terminal: isTerminal(std.err)}
	std.in, err = openInput(cmd, std.in)
	if err != nil {
		return 1, err
	}
	code, err := callDaemon(ctx, cfg.Data, c, std)
	if !errors.Is(err, errNoDaemon) {
		return code, err
	}
	app, err := assemble(ctx, cfg, quiet(std.err))
	if errors.Is(err, storage.ErrLocked) {
		return 1, fmt.Errorf("%w: its control socket does not answer", err)
	}
	if err != nil {
		return 1, err
	}
	defer app.Close()
	return app.run(ctx, c, std), nil
}

// run carries out a command line in the process that has the store open.
func (app *App) run(ctx context.Context, c call, std streams) int {
	_, cmd, exit := parse(c.Args, std)
	if cmd == nil {
		return exit
	}
	r, ok := cmd.(remote)
	if !ok {
		return report(usageError{errors.New("this command does not run in the daemon")}, std)
	}
	return report(r.run(ctx, app, c, std), std)
}

// openInput opens the file that a command reads; "-" and commands that read none get in, or nothing.
func openInput(cmd remote, in io.Reader) (io.Reader, error) {
	r, ok := cmd.(reader)
	switch {
	case !ok:
		return nil, nil
	case r.inputFile() == "-":
		return in, nil
	case r.inputFile() == "":
		return nil, nil
	}
	return os.Open(r.inputFile())
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
