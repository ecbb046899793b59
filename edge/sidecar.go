package edge

import "strings"

// SidecarPath is the first segment of the paths by which a sidecar asks a service what it takes; nobody outside
// is served there.
const SidecarPath = "dapr"

// SidecarHeader tells a header that a sidecar adds to requests and answers on their way, which is no business of
// anybody outside.
func SidecarHeader(canonicalName string) bool { return strings.HasPrefix(canonicalName, "Dapr-") }
