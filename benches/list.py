"""Makes 10,000 routing secrets and times `list -A` and `kubectl get secrets -A`; see list.sh."""

import statistics
import sys

import many
from many import OURS

COUNT, NAMESPACES = 10_000, 100


def make_secrets() -> None:
    data = many.tls_data("*.apps.example.com")
    many.make([("/api/v1/namespaces", {"metadata": {"name": f"many-{at:03}"}}) for at in range(NAMESPACES)])
    many.make([
        (f"/api/v1/namespaces/many-{at % NAMESPACES:03}/secrets", {
            "metadata": {"name": f"secret-{at:05}", "labels": {"epinio.io/routing": ""}},
            "type": "kubernetes.io/tls",
            "data": data,
        })
        for at in range(COUNT)
    ])


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and MB of a command that must have listed all."""
    seconds, megabytes, lines, _ = many.run(command)
    if lines < COUNT:
        sys.exit(f"{command} gave {lines} lines")
    return seconds, megabytes


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
