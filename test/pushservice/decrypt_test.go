package pushservice

import (
	"crypto/ecdh"
	"encoding/base64"
	"testing"
)

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8291 (§5 and appendix A) opens, and nothing opens that was tampered with.
//
// [Task]: T052
func TestDecryptsTheExampleOfTheRFC(t *testing.T) {
	private, err := ecdh.P256().NewPrivateKey(decode(t, "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	auth := decode(t, "BTBZMqHH6r4Tts7J_aSIgg")
	body := decode(t, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	plain, err := decrypt(body, private, auth)
	if err != nil || string(plain) != "When I grow up, I want to be a watermelon" {
		t.Fatalf("%q, %v", plain, err)
	}
	for i := range body {
		bad := append([]byte(nil), body...)
		bad[i] ^= 1
		if plain, err := decrypt(bad, private, auth); err == nil && (i < 16 || i > 19) { // the record size is a bound only
			t.Errorf("byte %d changed: %q", i, plain)
		}
		if _, err := decrypt(body[:i], private, auth); err == nil {
			t.Errorf("cut off at %d: opened", i)
		}
	}
}
