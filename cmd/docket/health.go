package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTime is how long an address may take to answer.
const healthTime = 10 * time.Second

func healthCommand() *cobra.Command {
	return &cobra.Command{Use: "health URL…", Short: "Ask addresses such as /readyz whether they answer with 200", GroupID: "server", Args: cobra.MinimumNArgs(1),
		Long: `Makes one request to each URL and exits with 1 where one does not answer with 200, saying why. For images and
probes: there is no shell and no other client in docket's image.`,
		RunE: func(cmd *cobra.Command, args []string) error { return health(cmd.Context(), args, cmd.OutOrStdout()) }}
}

// health asks all of them and returns what is wrong with each.
func health(ctx context.Context, urls []string, out io.Writer) (err error) {
	client := &http.Client{Timeout: healthTime}
	for _, url := range urls {
		if bad := healthy(ctx, client, url); bad != nil {
			err = errors.Join(err, bad)
			continue
		}
		fmt.Fprintln(out, url, "is well")
	}
	return err
}

func healthy(ctx context.Context, client *http.Client, url string) (err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		const enough = 2048
		body, _ := io.ReadAll(io.LimitReader(res.Body, enough)) // as far as it can be read: the status says it already
		return fmt.Errorf("%s: %s: %s", url, res.Status, body)
	}
	return nil
}
