package edge

import (
	"net/http"
	"strings"
)

// SidecarPath is the first segment of the paths by which a sidecar asks a service what it takes; nobody outside
// is served there.
const SidecarPath = "dapr"

// SidecarHeader tells a header that a sidecar adds to requests and answers on their way, which is no business of
// anybody outside.
func SidecarHeader(canonicalName string) bool { return strings.HasPrefix(canonicalName, "Dapr-") }

// ForwardedTLS tells whether the caller speaks TLS with the outermost of the proxies in front: the first entry of
// X-Forwarded-Proto. It is to be believed only where a proxy of ours sets it.
func ForwardedTLS(h http.Header) bool {
	first, _, _ := strings.Cut(h.Get("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}
