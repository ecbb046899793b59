package account

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/edge"
)

// Replicas that start at once sign with one key, and so do those that start later.
func TestSigningKeyIsMadeOnce(t *testing.T) {
	st := newSite(t)
	replicas := st.replicas(8)
	docs := make([][]byte, len(replicas))
	atOnce(len(replicas), func(i int) {
		docs[i] = replicas[i].serve(replicas[i].internal, http.MethodGet, "/internal/keys", nil, "").body
	})
	for i, doc := range docs {
		if !bytes.Equal(doc, docs[0]) || !bytes.Contains(doc, []byte(`"kid"`)) {
			t.Errorf("replica %d publishes %s, replica 0 %s", i, doc, docs[0])
		}
	}
}

// An identity signed before a rotation is accepted after it, and one signed after it where the key was published.
//
// [Task]: T021
func TestSigningKeysFromSecrets(t *testing.T) {
	dir := t.TempDir()
	h := openNode(t, dir).Host("backend")
	c := newClock()
	start := func(secret string) *site {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "secrets", signingKey), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		return siteOn(t, h, c)
	}
	bearer := func(jwt string) http.Header { return http.Header{"Authorization": {"Bearer " + jwt}} }

	before := start(pemKey(t, 1) + base64Seed(t, 2))
	if before.serve(before.internal, http.MethodGet, "/internal/keys", nil, "").status != http.StatusInternalServerError {
		t.Error("a secret of two forms at once is accepted")
	}
	before = start(pemKey(t, 1) + pemKey(t, 2))
	_, me := before.first()
	signedBefore, _ := before.exchange(me)
	after := start(base64Seed(t, 2) + "\n" + base64Seed(t, 1) + "\n")
	signedAfter, _ := after.exchange(me)
	for name, jwt := range map[string]string{"before": signedBefore, "after": signedAfter} {
		before.serve(before.public, http.MethodGet, "/api/me", bearer(jwt), "").want(t, http.StatusOK, nil)
		after.serve(after.public, http.MethodGet, "/api/me", bearer(jwt), "").want(t, http.StatusOK, nil)
		t.Logf("an identity signed %s the rotation is accepted on both sides", name)
	}
	alone := start(base64Seed(t, 2))
	alone.serve(alone.public, http.MethodGet, "/api/me", bearer(signedBefore), "").want(t, http.StatusUnauthorized, nil)
	if before.item(signingKey).Exists() {
		t.Error("a key was made in state though there is a secret")
	}
}

func TestParseSigningKeys(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"nothing":     " \n",
		"words":       "correct horse",
		"short seed":  base64.StdEncoding.EncodeToString(make([]byte, 31)),
		"three":       strings.Repeat(base64Seed(t, 3)+"\n", 3),
		"other curve": pemBlock(t, curve),
		"cut short":   pemKey(t, 1) + "-----BEGIN PRIVATE KEY-----\nMC4CAQ",
	} {
		keys, err := parseSigningKeys(secret)
		if err == nil {
			t.Errorf("%s: accepted as %d keys", name, len(keys))
		} else if s := strings.TrimSpace(secret); s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%s: the error repeats the secret", name)
		}
	}
	for name, secret := range map[string]string{"PEM": pemKey(t, 1), "seed": base64Seed(t, 1) + "\n"} {
		keys, err := parseSigningKeys(secret)
		if err != nil || len(keys) != 1 || keys[0].KID != newSigningKey(ed25519.NewKeyFromSeed(seed(1))).KID {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func seed(n byte) []byte { return bytes.Repeat([]byte{n}, ed25519.SeedSize) }

func base64Seed(t *testing.T, n byte) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(seed(n))
}

func pemKey(t *testing.T, n byte) string {
	t.Helper()
	return pemBlock(t, ed25519.NewKeyFromSeed(seed(n)))
}

func pemBlock(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// The routes go into one document with those of others.
func TestRoutesAreDocumented(t *testing.T) {
	st := newSite(t)
	mux := http.NewServeMux()
	api := edge.NewAPI(mux, "account")
	st.store.Routes(api)
	st.store.OpenRoutes(api)
	doc, err := edge.MergeOpenAPI("docket", "1", api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	patch := doc.Paths["/api/me"].Patch
	ref := patch.RequestBody.Content["application/merge-patch+json"].Schema.Ref
	if fields := doc.Components.Schemas.SchemaFromRef(ref); fields == nil || fields.Properties["time_zone"] == nil {
		t.Errorf("the body of PATCH /api/me is %q", ref)
	}
	webhook := doc.Components.Schemas.Map()["Channels"].Properties["webhook"]
	if len(webhook.OneOf) != 2 || webhook.OneOf[0].Ref != "#/components/schemas/Webhook" || webhook.OneOf[1].Type != "null" {
		t.Errorf("channels.webhook is documented as %+v", webhook)
	}
	if got := doc.Paths["/api/session"].Post.Security; len(got) != 1 || len(got[0]) != 0 {
		t.Errorf("POST /api/session asks for %v", got)
	}
}
