package notification

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errNotPublic marks an address that no webhook and no push message may reach.
var errNotPublic = errors.New("is not a public address")

// dialPublic is a [net.Dialer] Control: it looks at the address the connection is really going to, after name
// resolution, so a name that changes its mind between check and use (DNS rebinding) gains nothing.
func dialPublic(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, errNotPublic)
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%s %w", at.Addr(), errNotPublic)
	}
	return nil
}

// special4 are the parts of IPv4 that are not the public internet: the IANA IPv4 Special-Purpose Address Registry
// (RFC 6890), multicast (RFC 5771) and class E with the broadcast address (RFC 1112 §4, RFC 919).
var special4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)

// global6 is all that IANA has given out as global unicast (RFC 4291 §2.4, "IPv6 Address Space" registry), special6
// what is not public within it: protocol assignments with Teredo and ORCHID (RFC 2928), documentation (RFC 3849,
// RFC 9637), 6to4 (RFC 3056), which wraps an IPv4 address, and the AS112 prefix (RFC 7534).
var (
	global6  = netip.MustParsePrefix("2000::/3")
	special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
	// nat64 is the well-known prefix whose last 32 bits are the IPv4 address behind the translator (RFC 6052 §2.1).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// public tells whether a belongs to the public internet. Everything that is not known to be public is not.
func public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is4() {
		return !within(special4, a)
	}
	return global6.Contains(a) && !within(special6, a)
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func prefixes(list ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(list))
	for i, s := range list {
		parsed[i] = netip.MustParsePrefix(s)
	}
	return parsed
}
