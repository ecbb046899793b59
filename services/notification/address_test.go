package notification

import (
	"errors"
	"net/netip"
	"testing"
)

// TestPublicAddresses holds the guard of webhooks to the special-purpose registries of IANA, with the odd forms in
// which IPv6 wraps an IPv4 address.
func TestPublicAddresses(t *testing.T) {
	for _, tc := range []struct {
		address string
		public  bool
	}{
		{"1.1.1.1", true}, {"93.184.215.14", true}, {"172.15.255.255", true}, {"172.32.0.1", true}, {"100.63.255.255", true},
		{"100.128.0.0", true}, {"169.253.255.255", true}, {"198.17.255.255", true}, {"198.20.0.0", true}, {"223.255.255.255", true},
		{"0.0.0.0", false}, {"0.1.2.3", false}, {"10.0.0.1", false}, {"100.64.0.1", false}, {"100.127.255.255", false},
		{"127.0.0.1", false}, {"127.255.255.254", false}, {"169.254.169.254", false}, {"172.16.0.1", false}, {"172.31.255.255", false},
		{"192.0.0.8", false}, {"192.0.2.1", false}, {"192.88.99.2", false}, {"192.168.1.1", false}, {"198.18.0.1", false},
		{"198.19.255.255", false}, {"198.51.100.7", false}, {"203.0.113.9", false}, {"224.0.0.251", false}, {"239.255.255.250", false},
		{"240.0.0.1", false}, {"255.255.255.255", false},

		{"2606:4700:4700::1111", true}, {"2a00:1450:4001:81b::200e", true}, {"2001:4860:4860::8888", true}, {"2001:200::1", true},
		{"::", false}, {"::1", false}, {"fe80::1", false}, {"febf::1", false}, {"fec0::1", false}, {"fc00::1", false},
		{"fd12:3456:789a::1", false}, {"ff02::1", false}, {"ff0e::1", false}, {"2001:db8::1", false}, {"3fff::1", false},
		{"100::1", false}, {"5f00::1", false}, {"4000::1", false}, {"2001::1", false}, {"2001:20::1", false},
		{"fe80::1%eth0", false}, {"2606:4700:4700::1111%eth0", false},
		// IPv4-mapped (RFC 4291 §2.5.5.2) and the deprecated IPv4-compatible form
		{"::ffff:1.1.1.1", true}, {"::ffff:127.0.0.1", false}, {"::ffff:7f00:1", false}, {"::ffff:10.1.2.3", false},
		{"::ffff:169.254.169.254", false}, {"::ffff:0:127.0.0.1", false}, {"::127.0.0.1", false}, {"::1.1.1.1", false},
		// NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056) and Teredo (RFC 4380)
		{"64:ff9b::1.1.1.1", true}, {"64:ff9b::127.0.0.1", false}, {"64:ff9b::a9fe:a9fe", false}, {"64:ff9b::10.0.0.1", false},
		{"64:ff9b:1::1.1.1.1", false}, {"64:ff9b:1:fffe::192.168.0.1", false}, {"2002:7f00:1::", false}, {"2002:101:101::1", false},
		{"2001:0:7f00:1::", false},
	} {
		if got := public(netip.MustParseAddr(tc.address)); got != tc.public {
			t.Errorf("public(%s) = %v, want %v", tc.address, got, tc.public)
		}
	}
	for _, bad := range []string{"localhost:80", "/run/docker.sock", "", "[::1]:443", "127.1:80"} {
		if err := dialPublic("tcp", bad, nil); !errors.Is(err, errNotPublic) {
			t.Errorf("dialPublic(%q) = %v, want errNotPublic", bad, err)
		}
	}
	if err := dialPublic("tcp", "1.1.1.1:443", nil); err != nil {
		t.Errorf("dialPublic(1.1.1.1:443) = %v", err)
	}
}
