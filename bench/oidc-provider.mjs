// oidc-provider with the client credentials grant alone and ES256 access tokens as JWTs; everything in memory.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { PORT, SECRET } = process.env;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const audience = 'urn:bench';

new Provider(`http://127.0.0.1:${PORT}`, {
  jwks: { keys: [{ ...key, kid: 'bench', use: 'sig', alg: 'ES256' }] },
  scopes: ['api.read'],
  clients: [{
    client_id: 'bench',
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
  }],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope: 'api.read', audience, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
}).listen(Number(PORT), '127.0.0.1');
