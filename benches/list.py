"""Makes 10,000 routing secrets and times `list -A` and `kubectl get secrets -A`; see list.sh."""

import base64
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlparse

COUNT, NAMESPACES, THREADS = 10_000, 100, 8
OURS = "target/release/kubectl-routing_secrets"


def make_secrets() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=wild"
        command += " -addext subjectAltName=DNS:*.apps.example.com -keyout key -out crt"
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
        data = {}
        for name in ("crt", "key"):
            with open(f"{folder}/{name}", "rb") as file:
                data[f"tls.{name}"] = base64.b64encode(file.read()).decode()
    server = urlparse(os.environ["BED_SERVER"])
    context = ssl.create_default_context(cafile=os.environ["BED_CA"])
    headers = {"Authorization": "Bearer " + os.environ["BED_TOKEN_ADMIN"], "Content-Type": "application/json"}
    failures = []

    def work(paths_and_objects) -> None:
        connection = http.client.HTTPSConnection(server.hostname, server.port, context=context)
        for path, value in paths_and_objects:
            connection.request("POST", path, json.dumps(value), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                failures.append((path, answer.status))

    def in_threads(items) -> None:
        threads = [threading.Thread(target=work, args=(items[at::THREADS],)) for at in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            sys.exit(f"not made: {failures[:3]}")

    in_threads([("/api/v1/namespaces", {"metadata": {"name": f"many-{at:03}"}}) for at in range(NAMESPACES)])
    in_threads([
        (f"/api/v1/namespaces/many-{at % NAMESPACES:03}/secrets", {
            "metadata": {"name": f"secret-{at:05}", "labels": {"epinio.io/routing": ""}},
            "type": "kubernetes.io/tls",
            "data": data,
        })
        for at in range(COUNT)
    ])


def run(command: list[str]) -> tuple[float, float]:
    """Seconds, and peak memory in MB, which time(1) measures: the kernel counts the parent's memory at the fork, too."""
    peak = tempfile.NamedTemporaryFile()
    start = time.monotonic()
    process = subprocess.Popen(["/usr/bin/time", "-f", "%M", "-o", peak.name, *command], stdout=subprocess.PIPE)
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 20), b""))
    status = process.wait()
    seconds = time.monotonic() - start
    if status or lines < COUNT:
        sys.exit(f"{command} gave {lines} lines and status {status}")
    return seconds, int(peak.read()) / 1024


def main() -> None:
    make_secrets()
    commands = {
        "kubectl get secrets -A -l epinio.io/routing -o json": ["kubectl", "get", "secrets", "-A", "-l", "epinio.io/routing", "-o", "json"],
        "list -A": [OURS, "list", "-A"],
        "list -A --no-mirrors": [OURS, "list", "-A", "--no-mirrors"],
        "list -A -o json": [OURS, "list", "-A", "-o", "json"],
    }
    # In turns, so that what else the machine does hits all of them.
    runs = {name: [] for name in commands}
    for _ in range(int(sys.argv[1])):
        for name, command in commands.items():
            runs[name].append(run(command))
    medians = {name: [statistics.median(values) for values in zip(*found)] for name, found in runs.items()}
    peer = medians[next(iter(commands))]
    print(f"{COUNT} routing secrets, median of {sys.argv[1]} runs; goal: half the time, a tenth of the memory")
    print("| command | seconds | MB | time | memory |\n|---|---|---|---|---|")
    for name, (seconds, memory) in medians.items():
        print(f"| `{name}` | {seconds:.2f} | {memory:.0f} | {seconds / peer[0]:.2f} x | {memory / peer[1]:.2f} x |")


main()
