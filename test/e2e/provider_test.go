package e2e

import (
	"fmt"
	"sync"

	"github.com/docket-tasks/docket/test/openidprovider"
)

// publicURL is where browsers would reach docket: the OpenID provider sends them back there.
const publicURL = "https://docket.test"

// clientSecret is the setting of what docket shows at the provider.
const clientSecret = "DOCKET_SECRET_OIDC_THERE=" + openidprovider.ClientSecret

// provider is a real one, which serves as long as the tests run.
var provider = sync.OnceValue(func() *openidprovider.Provider {
	p, err := openidprovider.Start("127.0.0.1:0", publicURL+"/signin/callback/there")
	if err != nil {
		panic(err)
	}
	return p
})

// providing are the settings by which docket knows the provider.
func providing() []string {
	return []string{"--oidc",
		fmt.Sprintf(`[{"id":"there","name":"There","issuer":%q,"client_id":%q}]`, provider().Issuer, openidprovider.ClientID)}
}
