#!/usr/bin/env python3
"""How long the program takes to start and end, beside `true`; the goal for --version is 5 ms.

    start.py [PROGRAM] [RUNS]

PROGRAM is target/release/kubectl-routing_secrets when not given, RUNS 300. Exits with 1 when the goal is missed.
"""

import statistics
import subprocess
import sys
import time

GOAL = 0.005


def median(command: list[str], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/kubectl-routing_secrets"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    ours, none = median([program, "--version"], runs), median(["true"], runs)
    print(f"--version {ours * 1000:.2f} ms, true {none * 1000:.2f} ms (medians of {runs} runs); goal: {GOAL * 1000:.0f} ms")
    return int(ours > GOAL)


if __name__ == "__main__":
    sys.exit(main())
