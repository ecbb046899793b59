package openid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Kind is one of the constants below.
type Kind string

// The kinds of providers.
const (
	OpenIDConnect Kind = "openid"
	GitHub        Kind = "github" // GitHub, or its Enterprise Server
)

// Settings are what an operator says of one provider. Its client secret is a secret of the host: see [Settings.SecretName].
type Settings struct {
	// ID is in addresses and in the name of the secret.
	ID string `json:"id"`
	// Name is on the button.
	Name string `json:"name"`
	// Kind is how the provider is asked; empty means OpenIDConnect.
	Kind Kind `json:"kind"`
	// Issuer is the address that the provider calls itself by, to the letter; of GitHub its own, https://github.com.
	Issuer string `json:"issuer"`
	// ClientID is docket's name at the provider.
	ClientID string `json:"client_id"`
	// LinkByEmail lets a person in whose verified address docket knows from another provider. It is for providers that
	// verify addresses themselves.
	LinkByEmail bool `json:"link_by_email"`
}

// SecretName is the name of the client secret among the host's secrets.
func (s Settings) SecretName() string { return "oidc-" + s.ID }

const (
	maxProviders = 20
	maxText      = 60
)

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Parse reads a JSON array of [Settings]. The error names each field that is wrong, such as [0].issuer.
func Parse(text []byte) ([]Settings, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var list []Settings
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("must be a JSON array of providers: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("must be one JSON array, and nothing behind it")
	}
	if len(list) > maxProviders {
		return nil, fmt.Errorf("has %d providers: at most %d", len(list), maxProviders)
	}
	var faults []error
	known := map[string]bool{}
	for i, s := range list {
		for _, f := range s.faults() {
			faults = append(faults, fmt.Errorf("[%d].%w", i, f))
		}
		if known[s.ID] {
			faults = append(faults, fmt.Errorf("[%d].id: %q is another provider's already", i, s.ID))
		}
		known[s.ID] = true
	}
	return list, errors.Join(faults...)
}

func (s Settings) faults() (list []error) {
	if !idPattern.MatchString(s.ID) {
		list = append(list, fmt.Errorf("id: is %q: use 1 to 32 lower case letters, digits and hyphens", s.ID))
	}
	if n := utf8.RuneCountInString(s.Name); n < 1 || n > maxText || strings.TrimSpace(s.Name) != s.Name {
		list = append(list, fmt.Errorf("name: is %q: use 1 to %d characters for the button, such as Google", s.Name, maxText))
	}
	if s.Kind != "" && s.Kind != OpenIDConnect && s.Kind != GitHub {
		list = append(list, fmt.Errorf("kind: is %q: use %s or %s", s.Kind, OpenIDConnect, GitHub))
	}
	if err := CheckAddress(s.Issuer); err != nil {
		list = append(list, fmt.Errorf("issuer: %w", err))
	}
	if s.ClientID == "" {
		list = append(list, errors.New("client_id: is needed: the provider gives it when you register docket there"))
	}
	return list
}

// CheckAddress accepts an https address without query and fragment; http on this machine only.
func CheckAddress(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("is %q: use an address such as https://id.example.org, without a query", v)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && !ip.IsLoopback() {
		return fmt.Errorf("is %q: use https; http is for this machine only", v)
	}
	return nil
}
