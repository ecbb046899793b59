package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// memory is the file that keeps the ids of the last list, per server and credential, so that `docket done 3` means
// what was seen. It is a convenience: without a cache folder there is none.
func (c *client) memory() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to remember the list in: %w", err)
	}
	who := sha256.Sum256([]byte(c.server + "\n" + c.token))
	return filepath.Join(dir, "docket", "list-"+hex.EncodeToString(who[:8])+".json"), nil
}

// remember keeps the ids of a list.
func (c *client) remember(ids []string) error {
	file, err := c.memory()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("remember the list: %w", err)
	}
	b, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("remember the list: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "list-*") // mode 0600
	if err != nil {
		return fmt.Errorf("remember the list: %w", err)
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("remember the list: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}

// recall returns the ids of the last list, none where there was none.
func (c *client) recall() []string {
	file, err := c.memory()
	if err != nil {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var ids []string
	if json.Unmarshal(b, &ids) != nil {
		return nil // as good as absent: the next list writes it anew
	}
	return ids
}
