"""Load on a server and the CPU time that it took, read from /proc.

The server is pinned to the first core, wrk and the upstream to the second. The figure that counts is CPU seconds of the
server's processes, user and system, for 1,000 good responses: unlike requests per second it does not depend on how fast
the load generator is, and far less on what else the machine does.
"""

import dataclasses
import os
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time

SERVER_CORE, LOAD_CORE = "0", "1"
CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")

REPORT = """
function done(summary, latency, requests)
  io.write(string.format("TOTAL %d %d %d %d %d\\n", summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


TURNS = """
local requests, at = {}, 0
function init()
  for number, turn in ipairs(turns) do
    if wrk.method == "GET" then requests[number] = wrk.format(nil, wrk.path .. "?" .. turn)
    else requests[number] = wrk.format(nil, nil, nil, turn) end
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"""


@dataclasses.dataclass
class Request:
    """What wrk sends again and again; with several parameters, each in turn, in the URL or as a form."""

    url: str
    method: str = "GET"
    headers: dict = dataclasses.field(default_factory=dict)
    body: str = ""
    turns: list = dataclasses.field(default_factory=list)

    def script(self):
        """The request as wrk's Lua."""
        quoted = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        lines = [f"wrk.method = {quoted(self.method)}", f"wrk.body = {quoted(self.body)}"]
        lines += [f"wrk.headers[{quoted(name)}] = {quoted(value)}" for name, value in self.headers.items()]
        if self.turns:
            lines.append("local turns = {" + ", ".join(map(quoted, self.turns)) + "}")
            lines.append(TURNS)
        return "\n".join(lines) + REPORT

    def first(self):
        """The same without turns: what the first of them is."""
        if not self.turns:
            return self
        if self.method == "GET":
            return dataclasses.replace(self, url=f"{self.url}?{self.turns[0]}", turns=[])
        return dataclasses.replace(self, body=self.turns[0], turns=[])


@dataclasses.dataclass
class Run:
    """One run of load."""

    cpu_s_per_1000: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    bad: int
    seconds: float


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on 127.0.0.1:{port}")


def start(command, core=SERVER_CORE, log=None, **options):
    """Starts a process pinned to a core; what it prints goes to the log."""
    output = open(log, "w") if log else subprocess.DEVNULL
    return subprocess.Popen(["taskset", "-c", core, *map(str, command)], stdout=output, stderr=subprocess.STDOUT, **options)


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tree(pid):
    yield pid
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _tree(int(child))


def cpu_seconds(pid):
    """User and system time of a process and its descendants so far."""
    total = 0
    for each in _tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_mib(pid):
    """Resident memory of a process and its descendants."""
    total = 0
    for each in _tree(pid):
        found = re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{each}/status").read_text(), re.MULTILINE)
        total += int(found.group(1)) if found else 0
    return total / 1024


def load(request, pid, seconds):
    """Sends the request for so long and says what it took."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(request.script())
        script.flush()
        before, began = cpu_seconds(pid), time.monotonic()
        wrk = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script.name]
        output = subprocess.run([*wrk, request.url], check=True, capture_output=True, text=True).stdout
        took, cpu = time.monotonic() - began, cpu_seconds(pid) - before
    requests, statuses, broken, p50, p99 = map(int, re.search(r"^TOTAL (.*)$", output, re.MULTILINE).group(1).split())
    good = requests - statuses
    if good <= 0:
        raise SystemExit(f"no good response from {request.url}")
    return Run(cpu / good * 1000, good / took, p50 / 1000, p99 / 1000, statuses + broken, took)


def median(runs, name):
    return statistics.median(getattr(run, name) for run in runs)
