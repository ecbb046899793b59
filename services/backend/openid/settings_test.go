package openid_test

import (
	"strings"
	"testing"

	"github.com/docket-tasks/docket/services/backend/openid"
)

func TestParse(t *testing.T) {
	list, err := openid.Parse([]byte(`[{"id":"google","name":"Google","issuer":"https://accounts.google.com","client_id":"x","link_by_email":true},
		{"id":"home","name":"At home","issuer":"http://127.0.0.1:8081/realms/home","client_id":"docket"}]`))
	if err != nil || len(list) != 2 || !list[0].LinkByEmail || list[1].LinkByEmail || list[1].SecretName() != "oidc-home" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	good := `"id":"a","name":"A","issuer":"https://a.example","client_id":"x"`
	for text, want := range map[string]string{
		``:                                "must be a JSON array",
		`{}`:                              "must be a JSON array",
		`[{` + good + `}] []`:             "nothing behind it",
		`[{` + good + `,"secret":"x"}]`:   "secret",
		`[{` + good + `},{` + good + `}]`: "[1].id",
		`[{"id":"A b","name":"A","issuer":"https://a.example","client_id":"x"}]`:  "[0].id",
		`[{"id":"a","issuer":"https://a.example","client_id":"x"}]`:               "[0].name",
		`[{"id":"a","name":"A","issuer":"http://a.example","client_id":"x"}]`:     "[0].issuer",
		`[{"id":"a","name":"A","issuer":"https://a.example?x=1","client_id":""}]`: "[0].issuer",
		`[{"id":"a","name":"A","issuer":"https://a.example"}]`:                    "[0].client_id",
		`[{` + good + `,"kind":"gitlab"}]`:                                        "[0].kind",
		`[` + strings.Repeat(`{},`, 20) + `{}]`:                                   "at most 20",
	} {
		if _, err := openid.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
