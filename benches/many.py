"""Makes many objects on the test bed's API server, and measures whole processes that read them."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlparse

THREADS = 8
OURS = "target/release/kubectl-routing_secrets"


def tls_data(host: str) -> dict[str, str]:
    """The data of a TLS Secret."""
    with tempfile.TemporaryDirectory() as folder:
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=wild"
        command += f" -addext subjectAltName=DNS:{host} -keyout key -out crt"
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
        data = {}
        for name in ("crt", "key"):
            with open(f"{folder}/{name}", "rb") as file:
                data[f"tls.{name}"] = base64.b64encode(file.read()).decode()
        return data


def make(items: list[tuple[str, dict]]) -> None:
    """Posts each object to its path."""
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

    threads = [threading.Thread(target=work, args=(items[at::THREADS],)) for at in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"not made: {failures[:3]}")


def run(command: list[str], expected: int = 0) -> tuple[float, float, int, str]:
    """Seconds, peak memory in MB, and the lines and the end of what was printed. time(1) measures the memory: the kernel counts the
    parent's at the fork, too."""
    peak = tempfile.NamedTemporaryFile()
    start = time.monotonic()
    process = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *command], stdout=subprocess.PIPE)
    end, lines = b"", 0
    for chunk in iter(lambda: process.stdout.read(1 << 20), b""):
        lines += chunk.count(b"\n")
        end = (end + chunk)[-2000:]
    status = process.wait()
    seconds = time.monotonic() - start
    if status != expected:
        sys.exit(f"{command} gave status {status} after {lines} lines: {end.decode()}")
    return seconds, int(peak.read()) / 1024, lines, end.decode(errors="replace")
