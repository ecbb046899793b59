// Package cli is the client side of the docket command: what a person or a script does with tasks from a shell.
// It knows the server only by its public HTTP API, and it writes twice: aligned and coloured for a terminal,
// tab-separated and stable for a pipe.
//
// [Task]: T092
package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ExitCodes explains the exit codes, for the help of the whole program.
const ExitCodes = `Exit codes: 0 done · 1 failed · 2 wrong usage or bad input · 3 no such task · 4 the name fits several
tasks · 5 the server cannot be reached, or its storage is away · 130 interrupted`

// The exit codes but 0.
const (
	failed = iota + 1
	badInput
	notFound
	ambiguous
	unreachable
)

// exitError is an error with the exit code it ends the program with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

func exit(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

// Usage marks an error as one of the command line: its exit code is 2.
func Usage(err error) error { return &exitError{badInput, err} }

// ExitCode is the exit code of an error that a command returned: 1 to 5, see [ExitCodes].
func ExitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return failed
}

// CheckArgs makes the arguments that a command and those below it refuse count as wrong usage.
func CheckArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return Usage(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		CheckArgs(sub)
	}
}

// checkText refuses what is not UTF-8: JSON has no place for it, and its encoder would replace it silently. The names
// of files may be any bytes.
func checkText(c *cobra.Command, args []string) error {
	var err error
	check := func(name, value string) {
		if err == nil && !utf8.ValidString(value) {
			err = exit(badInput, "%s: is not valid UTF-8: %q", name, value)
		}
	}
	if !strings.Contains(c.Use, "FILE") {
		for _, arg := range args {
			check("argument", arg)
		}
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "data" {
			check("--"+f.Name, f.Value.String())
		}
	})
	return err
}

// options are the flags that every client command has.
type options struct {
	server, token, data string
	// screen is the output of the command that runs.
	screen *screen
}

func (o *options) flags(f *pflag.FlagSet) {
	f.StringVar(&o.server, "server", "", "address of the server, with https unless it says http or is this machine (DOCKET_SERVER; default: that of docket login, or of the data folder, or "+defaultServer+")")
	f.StringVar(&o.token, "token", "", "API token (DOCKET_TOKEN; default: that of docket login, or, for the server of the data folder, the owner's from there)")
	f.StringVar(&o.data, "data", env("DOCKET_DATA", defaultData), "data folder of a server on this machine (DOCKET_DATA)")
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// Commands returns the client commands, to stand under the heading of group.
func Commands(group string) []*cobra.Command {
	o := &options{}
	commands := []*cobra.Command{
		addCommand(o), listCommand(o), showCommand(o), editCommand(o),
		doneCommand(o), reopenCommand(o), removeCommand(o), undeleteCommand(o),
		historyCommand(o), watchCommand(o), inboxCommand(o),
		exportCommand(o), importCommand(o),
		loginCommand(o), logoutCommand(o), meCommand(o), accessCommand(o), tokenCommand(o), userCommand(o), linkCommand(o),
	}
	for _, c := range commands {
		c.GroupID = group
		c.PersistentPreRunE = checkText
		c.PersistentPostRunE = func(*cobra.Command, []string) error { return o.written() }
		o.flags(c.PersistentFlags())
		o.complete(c)
	}
	return commands
}

// session is what one run of a command works with.
type session struct {
	*client
	*screen
	// asJSON asks for the API's JSON instead of text.
	asJSON bool
}

// open finds the server and the credential, and looks at where the output goes.
func (o *options) open(cmd *cobra.Command) (*session, error) {
	c, err := o.client()
	if err != nil {
		return nil, err
	}
	o.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
	s := &session{client: c, screen: o.screen}
	if f := cmd.Flags().Lookup("json"); f != nil {
		s.asJSON = f.Value.String() == "true"
	}
	return s, nil
}

// written returns an error where output was lost: a full disk must not look like an empty list.
func (o *options) written() error {
	if o.screen == nil || o.screen.out.err == nil {
		return nil
	}
	return exit(failed, "write output: %w", o.screen.out.err)
}

func jsonFlag(c *cobra.Command) { c.Flags().Bool("json", false, "print the API's JSON") }
