package frontend

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/docket-tasks/docket/edge"
)

// How the limits follow from the rate of one credential, [Config.RateLimit]. An account has room for more than one
// credential, so that a program that runs away does not lock its owner out; an address has room for several accounts.
const (
	burstSeconds  = 10 // of the rate, at once after a pause
	accountTimes  = 2
	addressTimes  = 4
	signInEvery   = 6 * time.Second // per address
	signInBurst   = 20
	beginEvery    = time.Second // per address
	beginBurst    = 60
	bucketsOfEach = 20_000
)

// signInPaths are those at which a POST tries to get in, learns that a name is taken, or has a letter sent: they are held to signInEvery besides.
// One at passkeyStartPath tries nothing yet, and a page makes one whenever it is opened, so that the browser can offer passkeys: these are held
// to beginEvery, or opening the page would be at the cost of signing in.
var signInPaths = []string{sessionPath, accountsPath, resetPath, forgottenPath, startPath, finishPath, passkeyFinishPath}

// limits bounds how often callers may ask, on this replica.
type limits struct {
	now         func() time.Time
	credentials *buckets[[sha256.Size]byte]
	accounts    *buckets[string]
	addresses   *buckets[netip.Prefix]
	signIns     *buckets[netip.Prefix]
	begun       *buckets[netip.Prefix] // sign-ins by a passkey
	refused     *prometheus.CounterVec
}

// newLimits returns limits for perSecond requests a second of one credential, or nil, which limits nothing, for 0.
func newLimits(perSecond float64, now func() time.Time, metrics *prometheus.Registry) *limits {
	if perSecond <= 0 {
		return nil
	}
	l := &limits{
		now:         now,
		credentials: newBuckets[[sha256.Size]byte](perSecond),
		accounts:    newBuckets[string](accountTimes * perSecond),
		addresses:   newBuckets[netip.Prefix](addressTimes * perSecond),
		signIns:     bucketsOf[netip.Prefix](rate.Every(signInEvery), signInBurst),
		begun:       bucketsOf[netip.Prefix](rate.Every(beginEvery), beginBurst),
		refused: edge.Register(metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_rate_limited_total", Help: "Requests refused with 429, by what has asked too often.",
		}, []string{"by"})),
	}
	for _, by := range []string{"credential", "account", "address", "sign-in", "passkey"} { // an increase is seen only of what was there before it
		l.refused.WithLabelValues(by)
	}
	return l
}

// knock takes one request of the address, and one attempt to sign in, or begun by a passkey, where it is that. The error is a 429.
func (l *limits) knock(from netip.Addr, r *http.Request) error {
	if l == nil || !from.IsValid() {
		return nil
	}
	network := networkOf(from)
	if r.Method == http.MethodPost && slices.Contains(signInPaths, r.URL.Path) {
		if wait := l.signIns.take(network, l.now()); wait > 0 {
			return l.refuse("sign-in", "too many attempts to sign in from this address", wait)
		}
	}
	if r.Method == http.MethodPost && r.URL.Path == passkeyStartPath {
		if wait := l.begun.take(network, l.now()); wait > 0 {
			return l.refuse("passkey", "too many sign-ins by a passkey have been begun from this address", wait)
		}
	}
	if wait := l.addresses.take(network, l.now()); wait > 0 {
		return l.refuse("address", "too many requests from this address", wait)
	}
	return nil
}

// admit takes one request of a credential and of the account behind it. The error is a 429.
func (l *limits) admit(c credential, account string) error {
	if l == nil {
		return nil
	}
	if wait := l.credentials.take(c.key(), l.now()); wait > 0 {
		return l.refuse("credential", "too many requests with this token or session", wait)
	}
	if wait := l.accounts.take(account, l.now()); wait > 0 && account != "" {
		return l.refuse("account", "too many requests of this account", wait)
	}
	return nil
}

func (l *limits) refuse(by, what string, wait time.Duration) error {
	l.refused.WithLabelValues(by).Inc()
	detail := fmt.Sprintf("%s; nothing has been done, try again after the time in Retry-After", what)
	return edge.NewProblem(http.StatusTooManyRequests, "rate_limited", detail).After(wait)
}

// networkOf is what counts as one address: of IPv6 the /64, which is what one subscriber is given at the least.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 32
	}
	network, _ := a.Prefix(bits) // fails for more bits than an address has
	return network
}

// buckets are token buckets, the most recently used ones: one that is dropped for room is full when it comes back.
type buckets[K comparable] struct {
	rate  rate.Limit
	burst int
	mu    sync.Mutex // held to make one, so that there are not two of a key
	known *edge.Cache[K, *rate.Limiter]
}

func newBuckets[K comparable](perSecond float64) *buckets[K] {
	return bucketsOf[K](rate.Limit(perSecond), max(1, int(perSecond*burstSeconds)))
}

func bucketsOf[K comparable](limit rate.Limit, burst int) *buckets[K] {
	return &buckets[K]{rate: limit, burst: burst, known: edge.NewCache[K, *rate.Limiter](bucketsOfEach)}
}

// take takes one out of the key's bucket, or returns how long it takes until there is one.
func (b *buckets[K]) take(key K, now time.Time) (wait time.Duration) {
	r := b.of(key, now).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

func (b *buckets[K]) of(key K, now time.Time) *rate.Limiter {
	if l, ok := b.known.Get(key, now); ok {
		return l
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.known.Get(key, now)
	if !ok {
		l = rate.NewLimiter(b.rate, b.burst)
		b.known.Put(key, l, forever)
	}
	return l
}

// forever is when a bucket expires: it goes when it is not asked for.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// limited tells whether limits are for this caller. Somebody on this machine could do worse than ask too often, and
// is the one user there is where nobody has set up more; behind a proxy everybody seems to be on this machine.
func (g *gate) limited(r *http.Request) bool {
	return g.limits != nil && (g.tls || g.trust || !remote(r).IsLoopback())
}

// address is where the caller is, as far as it can be told: with proxies of ours in front, what they say, or the last one's own address
// where that cannot be read, even if it is on this machine. Otherwise it is invalid for this machine, which has no limits.
func (g *gate) address(r *http.Request) netip.Addr {
	from := remote(r)
	if before := r.Header.Values("X-Forwarded-For"); g.trust && len(before) > 0 {
		named := callerNamed(before, g.hops)
		if !named.IsValid() {
			return from
		}
		from = named
	}
	if from.Unmap().IsLoopback() {
		return netip.Addr{}
	}
	return from
}

// callerNamed is the first of the hops entries that our proxies append to X-Forwarded-For, for what is before them anybody can write.
// It is invalid where that is no address, with a port or without, and where there are fewer entries: those have not come through our proxies.
func callerNamed(lines []string, hops int) netip.Addr {
	all := strings.Join(lines, ",")
	for range hops - 1 {
		last := strings.LastIndexByte(all, ',')
		if last < 0 {
			return netip.Addr{}
		}
		all = all[:last]
	}
	entry := strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
	if a, err := netip.ParseAddr(entry); err == nil {
		return a
	}
	withPort, _ := netip.ParseAddrPort(entry)
	return withPort.Addr()
}

// remote is the address that the connection comes from.
func remote(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	return from.Addr().Unmap()
}
