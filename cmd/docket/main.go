// Command docket is the one binary: the server with all five services, and the client for it.
//
//	docket            run everything on one machine
//	docket serve …    one service behind its Dapr sidecar
//	docket add …      a client command; see docket help
//
// [Task]: T001
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // time zones on machines that have none installed

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/cmd/docket/cli"
	"github.com/docket-tasks/docket/services/frontend"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// gcPercent lets the heap grow to four times what is live before it is collected: a server whose lists lie in memory
// spends a fifth less of its time on collecting, and an idle one stays as small as it was.
const gcPercent = 300

// run is the program; it returns the exit code: see cli.ExitCodes.
func run(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 130 // interrupted, as shells count it
	}
	fmt.Fprintln(os.Stderr, "docket: "+err.Error())
	return cli.ExitCode(err)
}

func rootCommand() *cobra.Command {
	o := defaultServeOptions()
	root := &cobra.Command{
		Use:   "docket",
		Short: "A task platform that never loses anything",
		Long: `docket keeps tasks, and every change to them, for good.

Without a command it runs the server: all services in this one process, data in one folder.
The other commands are its client.

` + cli.ExitCodes,
		Args:          cobra.NoArgs,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PreRunE:       readSwitches,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o, cmd.OutOrStdout()) },
	}
	o.flags(root.Flags())
	root.SetVersionTemplate("docket {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.Usage(err) })
	root.AddGroup(&cobra.Group{ID: "tasks", Title: "Tasks:"}, &cobra.Group{ID: "server", Title: "Server and data:"})
	root.AddCommand(cli.Commands("tasks")...)
	root.AddCommand(serveCommand(), ownerCommand(), deadLetterCommand(), backupCommand(), restoreCommand(), checkCommand(), healthCommand(), openAPICommand(), versionCommand())
	cli.CheckArgs(root)
	return root
}

// version is the module's version, or the commit it was built from.
func version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// commit is the one that it was built from, empty where that is not known.
func commit() string {
	if stampedCommit != "" {
		return stampedCommit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

func build() frontend.Build {
	return frontend.Build{Version: version(), Commit: commit(), Go: runtime.Version()}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", GroupID: "server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "docket "+version())
			return err
		}}
}

// stamped and stampedCommit are set by the build: -ldflags "-X main.stamped=… -X main.stampedCommit=…".
var stamped, stampedCommit string
