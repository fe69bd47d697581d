"""Gets a token with requests-oauthlib, reads and writes with it, and verifies it with PyJWT through the JWKS.

Arguments: the hub's public URL, a client_id and its client_secret; its role is Operator.
"""

import sys

import jwt
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidScopeError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

issuer, client_id, client_secret = sys.argv[1:]
token_url = issuer + "/oauth2/token"


def session(scope=None):
    return OAuth2Session(client=BackendApplicationClient(client_id=client_id, scope=scope))


# Credentials in the body and as HTTP Basic.
body = session()
body.fetch_token(token_url, client_id=client_id, client_secret=client_secret, include_client_id=True)
hub = session(["entities:view", "entities:edit"])
token = hub.fetch_token(token_url, auth=HTTPBasicAuth(client_id, client_secret))
assert token["token_type"] == "Bearer" and token["expires_in"] == 600, token
assert sorted(token["scope"]) == ["entities:edit", "entities:view"], token

# View and edit.
entity = issuer + "/api/v1/entities/host%2Fpython-1"
made = hub.put(entity, json={"attributes": {"user.department": "fx"}})
assert made.status_code == 201, made.text
assert hub.get(entity).json()["attributes"] == {"user.department": "fx"}
found = hub.get(issuer + "/api/v1/entities", params={"filter": 'id = "host/python-1" OR user.department = fx'})
assert [item["id"] for item in found.json()["items"]] == ["host/python-1"], found.text
assert hub.delete(entity).status_code == 204

# What the role does not give is refused with the reason.
refused = hub.post(issuer + "/api/v1/applications", json={"name": "mine"})
assert refused.status_code == 403 and refused.json()["type"].endswith("/problems/console-only"), refused.text
try:
    session(["applications:edit"]).fetch_token(token_url, auth=HTTPBasicAuth(client_id, client_secret))
except InvalidScopeError:
    pass
else:
    raise AssertionError("more than the role gives")
try:
    session().fetch_token(token_url, auth=HTTPBasicAuth(client_id, client_secret[:-1] + ("1" if client_secret[-1] == "0" else "0")))
except InvalidClientError:
    pass
else:
    raise AssertionError("a wrong secret")

# The metadata leads to the keys, and the keys verify the token.
metadata = hub.get(issuer + "/.well-known/oauth-authorization-server").json()
assert metadata["issuer"] == issuer and metadata["token_endpoint"] == token_url, metadata
key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token["access_token"])
claims = jwt.decode(
    token["access_token"],
    key.key,
    algorithms=["ES256"],
    audience=issuer,
    issuer=issuer,
    options={"require": ["exp", "iat", "iss", "aud", "sub", "jti", "client_id"]},
)
assert claims["sub"] == claims["client_id"] == client_id, claims
assert jwt.get_unverified_header(token["access_token"])["typ"] == "at+jwt"
print("all good")
