# pip install requests
import requests

hub = "https://hub.example.com"
key = ("YOUR_CLIENT_ID", "YOUR_CLIENT_SECRET")

answer = requests.post(
    hub + "/oauth2/token",
    auth=key,
    data={"grant_type": "client_credentials"},
    timeout=10,
)
answer.raise_for_status()
token = answer.json()["access_token"]  # good for "expires_in" seconds

session = requests.Session()
session.headers["Authorization"] = "Bearer " + token
for path in ["/api/v1/whoami", "/api/v1/entities?limit=10"]:
    answer = session.get(hub + path, timeout=10)
    answer.raise_for_status()
    print(answer.json())
