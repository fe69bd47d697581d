CLIENT_ID=YOUR_CLIENT_ID
CLIENT_SECRET=YOUR_CLIENT_SECRET

# An access token; the credentials go through standard input, so that no process list shows them.
TOKEN=$(printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET" |
  curl --silent --show-error --fail-with-body --config - \
    --data grant_type=client_credentials \
    https://hub.example.com/oauth2/token |
  sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')

# What the application may view and edit, and some of the data.
curl --silent --show-error --fail-with-body --header "Authorization: Bearer $TOKEN" \
  https://hub.example.com/api/v1/whoami
curl --silent --show-error --fail-with-body --header "Authorization: Bearer $TOKEN" \
  'https://hub.example.com/api/v1/entities?limit=10'
