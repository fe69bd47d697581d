"""Does what a configuration for Prometheus or the OpenTelemetry Collector describes: gets the token, calls the address.

Argument: the file.
"""

import sys

import requests
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    described = yaml.safe_load(file)

if "scrape_configs" in described:
    (job,) = described["scrape_configs"]
    credentials = job["oauth2"]
    (target,) = job["static_configs"][0]["targets"]
    address = job["scheme"] + "://" + target + job["metrics_path"]
else:
    credentials = described["extensions"]["oauth2client"]
    (target,) = described["receivers"]["httpcheck"]["targets"]
    assert target["auth"]["authenticator"] in described["service"]["extensions"], target
    for pipeline in described["service"]["pipelines"].values():
        assert all(name in described["receivers"] for name in pipeline["receivers"]), pipeline
        assert all(name in described["exporters"] for name in pipeline["exporters"]), pipeline
    address = target["endpoint"]

wanted = {"grant_type": "client_credentials", "scope": " ".join(credentials.get("scopes", []))}
key = (credentials["client_id"], credentials["client_secret"])
granted = requests.post(credentials["token_url"], auth=key, data=wanted, timeout=10)
assert granted.status_code == 200, granted.text
headers = {"Authorization": "Bearer " + granted.json()["access_token"]}
answer = requests.get(address, headers=headers, timeout=10)
assert answer.status_code == 200, answer.text
print(answer.text)
