printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET" |
  curl --silent --show-error --fail-with-body --config - \
    --data "token=$TOKEN" \
    https://hub.example.com/oauth2/revoke
