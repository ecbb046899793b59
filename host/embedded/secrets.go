package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/docket-tasks/docket/host"
)

// secrets reads the environment first, then one file per secret.
type secrets struct{ dir string }

var secretName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

// Get implements [host.Secrets]: DOCKET_SECRET_<NAME>, upper case with '_' for '-', or the file <data folder>/secrets/<name>
// without the line break at its end.
func (s secrets) Get(_ context.Context, name string) (string, error) {
	if !secretName.MatchString(name) {
		return "", fmt.Errorf("secret name %q: lower case letters, digits, '-' and '_'", name)
	}
	variable := "DOCKET_SECRET_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if v, ok := os.LookupEnv(variable); ok {
		return v, nil
	}
	file := filepath.Join(s.dir, name)
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: neither %s nor %s is set", host.ErrNoSecret, variable, file)
	case err != nil:
		return "", fmt.Errorf("read secret %s: %w", name, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
