package account

import "strings"

// Browser is what is known of the browser that signs in.
type Browser struct {
	// TimeZone is an IANA name, or empty.
	TimeZone string
	// Client is its family and system, such as "Firefox on Linux"; empty where that is not known.
	Client string
	// Means is the name of the OpenID provider that it comes back from, or of the passkey that it has; or empty.
	Means string
}

// by is how a sign-in with it is told of.
func (b Browser) by() string {
	switch {
	case b.Means == "":
		return b.Client
	case b.Client == "":
		return b.Means
	}
	return b.Client + ", " + b.Means
}

// families and systems are in the order in which they have to be looked for: most browsers claim to be others as well.
var (
	families = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}}
	systems  = [][2]string{{"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}}
)

// clientOf names the browser and the system of a User-Agent header. Nothing of the header itself is kept: it may hold
// anything, and tells more than is needed to recognise one's own.
func clientOf(userAgent string) string {
	find := func(table [][2]string) string {
		for _, t := range table {
			if strings.Contains(userAgent, t[0]) {
				return t[1]
			}
		}
		return ""
	}
	family, system := find(families), find(systems)
	if family != "" && system != "" {
		return family + " on " + system
	}
	return family + system
}
