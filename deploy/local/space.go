package local

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Space is one installation on a machine: its services see each other, one database and nothing of other spaces, except
// that topics are the broker's.
type Space struct {
	*Machine
	// Name is the space's and its database's.
	Name string
	// Dir has the resources and secrets that its sidecars read, and their registry of names.
	Dir string

	// open: any app may use the components and call any other.
	open bool

	mu       sync.Mutex
	secrets  map[string]map[string]string
	sidecars map[string]int // how many there have been of each app-id
	daprAPI  string         // the token that a sidecar demands of its app
	appAPI   string         // the token that an app demands of its sidecar
}

// SpaceOptions say how a space differs from docket's own.
type SpaceOptions struct {
	// Name is made of letters, digits and "_"; the database has it too.
	Name string
	// Subscriptions take the place of deploy/dapr/subscriptions.yaml. Where there are any, scopes and access control are left
	// out as well: apps of any name may use the components.
	Subscriptions []Subscription
	// Topics are declared besides docket's own.
	Topics []string
}

// Subscription is one app's to one topic, by the component of that name. Without DeadLetter it has no dead-letter topic.
type Subscription struct{ App, Component, Topic, DeadLetter string }

// the folder of the manifests, and that of what takes their place on one machine.
const manifests = "deploy/dapr"

// scopes is the list of the apps that may use a component; it is the last line of a manifest.
var scopes = regexp.MustCompile(`(?m)^scopes: .*\n`)

// Space makes an installation, or opens the one of that name which the machine's folder has. It starts nothing.
func (m *Machine) Space(ctx context.Context, o SpaceOptions) (*Space, error) {
	s := &Space{Machine: m, Name: o.Name, Dir: filepath.Join(m.Dir, o.Name), open: len(o.Subscriptions) > 0, sidecars: map[string]int{}}
	if err := os.MkdirAll(s.resources(), 0o700); err != nil {
		return nil, err
	}
	if err := s.database(ctx); err != nil {
		return nil, err
	}
	if err := s.copyManifests(); err != nil {
		return nil, err
	}
	if s.open {
		if err := s.WriteManifest("subscriptions.yaml", subscriptions(o.Subscriptions)); err != nil {
			return nil, err
		}
	}
	if len(o.Topics) > 0 {
		file := filepath.Join(s.Dir, "topics.yaml")
		if err := os.WriteFile(file, topics(o.Topics), 0o600); err != nil {
			return nil, err
		}
		if err := m.broker.declare(ctx, file); err != nil {
			return nil, err
		}
	}
	return s, s.keepSecrets()
}

func (s *Space) resources() string { return filepath.Join(s.Dir, "resources") }

// database creates the space's database unless it is there.
func (s *Space) database(ctx context.Context) error {
	have, err := s.postgres.query(ctx, "postgres", fmt.Sprintf("select 1 from pg_database where datname = '%s'", s.Name))
	if err == nil && have == "" {
		_, err = s.postgres.query(ctx, "postgres", fmt.Sprintf(`create database "%s"`, s.Name))
	}
	return err
}

// DSN is the string to connect to the space's database with.
func (s *Space) DSN() string { return s.postgres.dsn(s.Name) }

// copyManifests copies deploy/dapr into the folder that sidecars read, and over it what is meant for one machine.
func (s *Space) copyManifests() error {
	for _, from := range []string{manifests, manifests + "/local"} {
		files, err := filepath.Glob(filepath.Join(s.Root, filepath.FromSlash(from), "*.yaml"))
		if err != nil {
			return err
		}
		for _, file := range files {
			name := filepath.Base(file)
			if name == "configuration.yaml" || name == "jobs.yaml" { // no resources: a sidecar's flag, and the scheduler's
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if s.open {
				b = scopes.ReplaceAll(b, nil)
			}
			if err := s.WriteManifest(name, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteManifest puts a manifest in the place of the one with that name, for sidecars that start from now on.
func (s *Space) WriteManifest(name string, content []byte) error {
	return os.WriteFile(filepath.Join(s.resources(), name), content, 0o600)
}

// RemoveManifest takes one away.
func (s *Space) RemoveManifest(name string) error {
	return os.Remove(filepath.Join(s.resources(), name))
}

// configurations are the files that each sidecar gets as its configuration; later ones add to earlier ones.
func (s *Space) configurations() []string {
	dir := filepath.Join(s.Root, filepath.FromSlash(manifests))
	here := filepath.Join(dir, "local", "configuration.yaml")
	if s.open {
		return []string{here}
	}
	return []string{filepath.Join(dir, "configuration.yaml"), here}
}

// keepSecrets writes the secrets that components need, and finds those of an earlier run.
func (s *Space) keepSecrets() error {
	s.secrets = map[string]map[string]string{}
	if b, err := os.ReadFile(s.secretsFile()); err == nil {
		if err := json.Unmarshal(b, &s.secrets); err != nil {
			return fmt.Errorf("%s: %w", s.secretsFile(), err)
		}
	}
	if s.secrets["docket"] == nil {
		s.secrets["docket"] = map[string]string{}
	}
	s.secrets["docket-postgresql"] = map[string]string{"connectionString": s.DSN()}
	s.secrets["docket-kafka"] = map[string]string{"brokers": s.BrokerAddress(), "authType": "none", "disableTls": "true",
		"saslUsername": "", "saslPassword": "", "saslMechanism": ""}
	s.daprAPI, s.appAPI = newToken(), newToken()
	return s.writeSecrets()
}

func (s *Space) secretsFile() string { return filepath.Join(s.Dir, "secrets.json") }

// SetSecret sets one key of a secret, for sidecars that start from now on.
func (s *Space) SetSecret(secret, key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets[secret] == nil {
		s.secrets[secret] = map[string]string{}
	}
	s.secrets[secret][key] = value
	return s.writeSecrets()
}

func (s *Space) writeSecrets() error {
	b, err := json.MarshalIndent(s.secrets, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.secretsFile(), b, 0o600)
}

// newToken is a secret that nobody can guess.
func newToken() string { return rand.Text() }

func subscriptions(all []Subscription) []byte {
	var docs []string
	for i, sub := range all {
		dead := ""
		if sub.DeadLetter != "" {
			dead = "  deadLetterTopic: " + sub.DeadLetter + "\n"
		}
		docs = append(docs, fmt.Sprintf("apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: s%d\nspec:\n  pubsubname: %s\n  topic: %s\n"+
			"  routes:\n    default: /events/%s/%s\n%sscopes: [%s]\n", i, sub.Component, sub.Topic, sub.Component, sub.Topic, dead, sub.App))
	}
	return []byte(strings.Join(docs, "---\n"))
}

func topics(names []string) []byte {
	unique := map[string]bool{}
	for _, n := range names {
		unique[n] = true
	}
	var docs []string
	for _, n := range slices.Sorted(maps.Keys(unique)) {
		docs = append(docs, fmt.Sprintf("kind: KafkaTopic\nmetadata:\n  name: %s\nspec:\n  partitions: 6\n", n))
	}
	return []byte(strings.Join(docs, "---\n"))
}
