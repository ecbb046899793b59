package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/host/embedded"
)

func backupCommand() *cobra.Command {
	data := env("DOCKET_DATA", "./docket-data")
	c := &cobra.Command{Use: "backup FILE", Short: "Copy all data into one file, also while the server runs", GroupID: "server", Args: cobra.ExactArgs(1),
		Long: `Writes a consistent copy of all data into FILE, which must not exist. The server may go on running.
Files under secrets/ and the owner's token are not part of it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := embedded.Backup(cmd.Context(), data, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "backed up %s to %s\n", data, args[0])
			return nil
		}}
	c.Flags().StringVar(&data, "data", data, "folder of the data (DOCKET_DATA)")
	return c
}

func restoreCommand() *cobra.Command {
	data := env("DOCKET_DATA", "./docket-data")
	c := &cobra.Command{Use: "restore FILE", Short: "Make a backup the data of a new folder", GroupID: "server", Args: cobra.ExactArgs(1),
		Long: `Makes the backup FILE the data of the folder given, which must hold none. Tokens and sessions of the
backup are valid again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := embedded.Restore(cmd.Context(), args[0], data); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "restored %s into %s; start docket with --data %s\n", args[0], data, data)
			return nil
		}}
	c.Flags().StringVar(&data, "data", data, "folder for the data (DOCKET_DATA)")
	return c
}
