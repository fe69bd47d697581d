"""The programs that are compared: each installs what it needs, starts on a free port, proves that it answers right, stops."""

import base64
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from measure import LOAD_CORE, Request, free_port, start, stop, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent
OIDC_PROVIDER = "9.13.3"
BODY = '{"data":"' + "x" * 1013 + '"}'


def version(package):
    said = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False)
    return said.stdout.split("-")[0] or "not installed"


def ask(request):
    """One request; its status, headers and text."""
    body = request.body.encode() or None
    built = urllib.request.Request(request.url, data=body, headers=request.headers, method=request.method)
    try:
        with urllib.request.urlopen(built, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


def basic(client_id, client_secret):
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


class Upstream:
    """nginx with a fixed JSON body of 1 KiB, on the load's core."""

    def __init__(self, folder):
        self.port = free_port()
        folder.mkdir(parents=True)
        config = folder / "nginx.conf"
        config.write_text(nginx(folder, f"server {{ listen 127.0.0.1:{self.port}; "
                                f"location / {{ default_type application/json; return 200 '{BODY}'; }} }}"))
        self.process = start(["nginx", "-e", folder / "error.log", "-c", config], core=LOAD_CORE)
        wait_for(self.port)

    def close(self):
        stop(self.process)


def nginx(folder, servers):
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    return (f"{user} worker_processes 1; daemon off; pid {folder}/pid; events {{ worker_connections 1024; }}\n"
            f"http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; {temporary}\n{servers} }}\n")


class Peer:
    """Something that is measured."""

    name, does = "", ""

    def __init__(self, folder, upstream):
        self.folder = folder / self.name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.upstream = upstream
        self.process = None
        self.prepare()
        wait_for(self.port)
        self.prove()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.folder / "log"

    def prove(self):
        """What it refuses and what it answers, before it is measured."""
        status, _, text = ask(self.request().first())
        assert status == 200, f"{self.name}: {status} {text[:300]}"

    def close(self):
        stop(self.process)


class Hub(Peer):
    """Gateway Hub with default flags: every check, counter and throttle on."""

    program = ROOT / "target/release/gateway-hub"

    def command(self, *words):
        return [self.program, *words, "--data-dir", self.folder / "data"]

    def run(self, *words):
        return json.loads(subprocess.run(self.command(*words, "--json"), check=True, capture_output=True, text=True).stdout)

    def prepare(self):
        self.set_up()
        self.run("roles", "create", "bench", *self.role())
        self.key = self.run("keys", "create", "bench", "--role", "bench")
        self.process = start(self.command("serve", "--listen", f"127.0.0.1:{self.port}"), log=self.log())

    def set_up(self):
        pass

    def role(self):
        return [word for grant in self.grants for word in ("--grant", grant)]

    def version(self):
        said = subprocess.run([self.program, "--version"], check=True, capture_output=True, text=True)
        return said.stdout.split()[-1]

    def token_request(self, scope):
        headers = {"Content-Type": "application/x-www-form-urlencoded",
                   "Authorization": basic(self.key["client_id"], self.key["client_secret"])}
        body = "grant_type=client_credentials&" + urllib.parse.urlencode({"scope": scope})
        return Request(self.url + "/oauth2/token", "POST", headers, body)

    def token(self, scope):
        return json.loads(ask(self.token_request(scope))[2])["access_token"]


def also(kinds, program):
    """The contestants, and each hub among them once more as that program."""
    built_otherwise = lambda kind: type(kind.__name__, (kind,), {"program": program, "name": f"{kind.name} ({program.parent.name})"})
    return [each for kind in kinds for each in ([kind, built_otherwise(kind)] if issubclass(kind, Hub) else [kind])]


class HubTokens(Hub):
    name = "Gateway Hub"
    does = "ES256 token (RFC 9068); roles, network, expiry, liveness, throttle and counters checked; nothing written"
    grants = ["entities:view"]

    def request(self):
        return self.token_request("entities:view")

    def prove(self):
        super().prove()
        wrong = self.request()
        wrong.headers["Authorization"] = basic(self.key["client_id"], "wrong")
        assert ask(wrong)[0] == 401


class HubGateway(Hub):
    name = "Gateway Hub"
    does = "token verified and live at every request, roles, path rules, header rules, counters, limits"
    grants = ["gateway/bench:view"]

    def set_up(self):
        self.run("gateways", "create", "bench", "--kind", "http", "--url", f"http://127.0.0.1:{self.upstream.port}")

    def request(self):
        if not hasattr(self, "bearer"):
            self.bearer = self.token("gateway/bench:view")
        return Request(self.url + "/gateways/bench/data", headers={"Authorization": "Bearer " + self.bearer})

    def prove(self):
        super().prove()
        assert ask(Request(self.url + "/gateways/bench/data"))[0] == 401


# What a dashboard of hosts asks, over and over.
DASHBOARD = [
    "up",
    "count(up == 0)",
    "sum by (instance) (rate(node_cpu_seconds_total{mode!='idle'}[5m]))",
    "100 - avg by (instance) (rate(node_cpu_seconds_total{mode='idle'}[5m])) * 100",
    "node_load1",
    "node_load5 / on (instance) group_left () count by (instance) (node_cpu_seconds_total{mode='idle'})",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.9",
    "sum by (instance, device) (rate(node_network_receive_bytes_total{device!~'lo|veth.*'}[5m])) * 8",
    "sum by (instance, device) (rate(node_network_transmit_bytes_total{device!~'lo|veth.*'}[5m])) * 8",
    "rate(node_disk_read_bytes_total[5m])",
    "rate(node_disk_written_bytes_total[5m])",
    "node_filesystem_avail_bytes{fstype!='tmpfs'} / node_filesystem_size_bytes{fstype!='tmpfs'}",
    "predict_linear(node_filesystem_avail_bytes{fstype!='tmpfs'}[6h], 24 * 3600) < 0",
    "topk(5, sum by (job) (rate(http_requests_total[5m])))",
    "sum(rate(http_requests_total{code=~'5..'}[5m])) / sum(rate(http_requests_total[5m]))",
    "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
    "max_over_time(process_resident_memory_bytes[1h])",
    "time() - node_boot_time_seconds",
]
RANGE = [urllib.parse.urlencode({"query": query, "start": "1700000000", "end": "1700003600", "step": "15"})
         for query in DASHBOARD]


class HubDashboard(HubGateway):
    """A gateway that a dashboard asks."""

    def request(self):
        plain = super().request()
        return Request(self.url + "/gateways/bench/api/v1/query_range", headers=plain.headers, turns=RANGE)


class HubPlainQuery(HubDashboard):
    """The same requests and answers, only passed on: what the others are measured by."""

    name = "plain gateway"
    does = "kind http: as above, the query is passed on as it is"


class HubQuery(HubDashboard):
    name = "filtered query"
    does = "kind prometheus: also the endpoint table, every selector limited (remembered), the answer's members checked"
    filter = "user.team = a"

    def set_up(self):
        self.run("gateways", "create", "bench", "--kind", "prometheus", "--url", f"http://127.0.0.1:{self.upstream.port}",
                 "--label", "user.team=team", "--label", "user.region=region")

    def role(self):
        return [*super().role(), "--filter", self.filter]


class HubFormQuery(HubQuery):
    name = "filtered query, OR, form"
    does = "the same under a filter of two alternatives, asked by POST as Grafana does"
    filter = "user.team = a OR user.region = eu"

    def request(self):
        asked = super().request()
        headers = asked.headers | {"Content-Type": "application/x-www-form-urlencoded"}
        return Request(asked.url, "POST", headers, turns=RANGE)


class OidcProvider(Peer):
    name = "oidc-provider"
    does = "ES256 JWT; clients and tokens in memory"

    def prepare(self):
        place = ROOT / "target/bench/oidc-provider"
        if not (place / "node_modules/oidc-provider").is_dir():
            place.mkdir(parents=True, exist_ok=True)
            (place / "package.json").write_text('{"private":true,"type":"module"}')
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", f"oidc-provider@{OIDC_PROVIDER}"],
                           cwd=place, check=True)
        shutil.copy(ROOT / "bench/oidc-provider.mjs", place / "server.mjs")
        self.secret = secrets.token_hex(24)
        environment = os.environ | {"NODE_ENV": "production", "PORT": str(self.port), "SECRET": self.secret}
        self.process = start(["node", "server.mjs"], log=self.log(), cwd=place, env=environment)

    def version(self):
        return f"{OIDC_PROVIDER}, Node {subprocess.run(['node', '--version'], capture_output=True, text=True, check=True).stdout.strip()}"

    def request(self):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("bench", self.secret)}
        return Request(self.url + "/token", "POST", headers, "grant_type=client_credentials&scope=api.read")


class NginxPlain(Peer):
    name = "nginx, no authentication"
    does = "forwards everything: a limit, not a gateway"

    def prepare(self):
        config = self.folder / "nginx.conf"
        config.write_text(nginx(self.folder, f"""
  upstream up {{ server 127.0.0.1:{self.upstream.port}; keepalive 64; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{self.port}; location / {{ proxy_pass http://up; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host $host; }} }}"""))
        self.process = start(["nginx", "-e", self.folder / "error.log", "-c", config])

    def version(self):
        return version("nginx-light") if shutil.which("nginx") and version("nginx-light") != "not installed" else version("nginx")

    def request(self):
        return Request(self.url + "/data")


class HaproxyJwt(Peer):
    name = "HAProxy jwt_verify"
    does = "ES256 signature, issuer, audience, expiry and one scope word at every request; no revocation, no roles"

    def prepare(self):
        key, public = self.folder / "key.pem", self.folder / "public.pem"
        openssl = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        openssl("pkey", "-in", key, "-pubout", "-out", public)
        import jwt  # python3-jwt
        claims = {"iss": "http://bench", "aud": "urn:bench", "scope": "api.read", "exp": 4102444800, "sub": "bench"}
        self.bearer = jwt.encode(claims, key.read_text(), algorithm="ES256")
        config = self.folder / "haproxy.cfg"
        config.write_text(f"""
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 60s
frontend in
  bind 127.0.0.1:{self.port}
  http-request deny deny_status 401 unless {{ req.hdr(authorization) -m found }}
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str ES256 }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_verify(txn.alg,"{public}") 1 }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_payload_query('$.iss') -m str http://bench }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_payload_query('$.aud') -m str urn:bench }}
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  http-request deny deny_status 403 unless {{ http_auth_bearer,jwt_payload_query('$.scope') -m reg (^|\\ )api\\.read(\\ |$) }}
  default_backend up
backend up
  http-reuse always
  server one 127.0.0.1:{self.upstream.port}
""")
        self.process = start(["haproxy", "-db", "-f", config], log=self.log())

    def version(self):
        return version("haproxy")

    def request(self):
        return Request(self.url + "/data", headers={"Authorization": "Bearer " + self.bearer})

    def prove(self):
        super().prove()
        wrong = self.request()
        wrong.headers["Authorization"] += "x"
        assert ask(wrong)[0] == 401


GROUPS = {"tokens": [HubTokens, OidcProvider], "gateway": [HubGateway, NginxPlain, HaproxyJwt],
          "query": [HubPlainQuery, HubQuery, HubFormQuery]}
TITLES = {"tokens": "Issuing an access token (client credentials, ES256)",
          "gateway": "Forwarding an authorised request (answer of 1 KiB)",
          "query": "A dashboard's 20 queries under a data filter (answer of 1 KiB)"}
