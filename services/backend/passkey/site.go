package passkey

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

var (
	// ErrNowhere means that there is no site. Browsers have passkeys for hosts with a name that are reached by https, and for
	// localhost; and docket has to be told its name: what a request says of that, anybody may have written.
	ErrNowhere = errors.New("passkeys need an address with a name")
	// ErrElsewhere means that the site is not where the request comes from.
	ErrElsewhere = errors.New("passkeys are for another address of this server")
)

// localhost is the name of this machine for which browsers have passkeys; they have none for its IP addresses.
const localhost = "localhost"

// Site is what passkeys are made for, and sign for: for no other ("relying party", section 4).
type Site struct {
	// ID is the name of the host (RP ID).
	ID string
	// Origin is that of its pages, without a port that is its scheme's anyway.
	Origin string
}

// SiteOf returns the site of a server that browsers reach at the address public; where that is empty, on this machine only.
// host is where a request by scheme asks for it. [ErrNowhere]; or [ErrElsewhere], together with the site.
func SiteOf(public, scheme, host string) (Site, error) {
	asked := &url.URL{Scheme: scheme, Host: host}
	at := asked
	if public != "" {
		var err error
		if at, err = url.Parse(public); err != nil {
			return Site{}, ErrNowhere
		}
	}
	name := strings.ToLower(at.Hostname())
	ip := net.ParseIP(name)
	switch {
	case at.Scheme != "https" && at.Scheme != "http":
		return Site{}, ErrNowhere
	case name == localhost || ip.IsLoopback():
		s := Site{localhost, origin(at, localhost)}
		if asked.Hostname() != localhost {
			return s, ErrElsewhere
		}
		return s, nil
	case public == "" || at.Scheme != "https" || name == "" || ip != nil:
		return Site{}, ErrNowhere
	}
	return Site{name, origin(at, name)}, nil
}

// origin is that of the host of that name at an address (RFC 6454 section 6.2).
func origin(at *url.URL, name string) string {
	o := at.Scheme + "://" + name
	port := at.Port()
	if port != "" && !(at.Scheme == "https" && port == "443") && !(at.Scheme == "http" && port == "80") {
		o += ":" + port
	}
	return o
}
