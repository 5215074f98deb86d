"""Times the processes that compare.sh has prepared, and prints the table."""

import math
import os
import statistics
import subprocess
import sys
import time

WORK, FILTER, PEER, KUBECTL = (os.environ[name] for name in ("WORK", "FILTER", "PEER", "KUBECTL"))
RUNS = int(os.environ["RUNS"])
RENDER = [FILTER, "post-render", "-n", "demo", "--inventory", f"{WORK}/inventory.yaml"]
MB = 1e6


class Figure:
    """The medians of one command's runs: seconds of wall and of CPU, and its peak memory in bytes."""

    def __init__(self, runs):
        walls, cpus, peaks = zip(*runs)
        self.wall, self.cpu, self.peak = statistics.median(walls), statistics.median(cpus), max(peaks)


def finish(process, name):
    """The resources of a child that must have succeeded."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"compare.py: {name} failed with {process.returncode}")
    return used


def once(command, source, piped):
    """One run; with `piped` another process feeds it and a third one takes its output, as Helm would."""
    with open(source, "rb") as file, open(f"{WORK}/output", "wb") as output, open(os.devnull, "wb") as null:
        start = time.perf_counter()
        if piped:
            feeder = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
            process = subprocess.Popen(command, stdin=feeder.stdout, stdout=subprocess.PIPE)
            drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=null)
            feeder.stdout.close()
            process.stdout.close()
            used = finish(process, command[0])
            # kubectl reads files, so nothing may have taken what the feeder had.
            feeder.wait()
            finish(drain, "cat")
        else:
            process = subprocess.Popen(command, stdin=file, stdout=output)
            used = finish(process, command[0])
        wall = time.perf_counter() - start
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def measure(commands, source, piped=True):
    """The figures of several commands on one input, their runs taken in turn so that a busy moment hits all."""
    path = f"{WORK}/{source}"
    for command in commands:
        once(command, path, piped)
    runs = [[once(command, path, piped) for command in commands] for _ in range(RUNS)]
    return [Figure(of_command) for of_command in zip(*runs)]


def row(name, ours, peer, ratio, goal, met):
    verdict = {True: "met", False: "NOT MET", None: ""}[met]
    print(f"{name:<66} {ours:>22} {peer:>22} {ratio:>8} {goal:>18}  {verdict}", flush=True)


def times(name, ours, peer, ratio, goal, met):
    """A row with seconds of wall time, and of CPU time in parentheses."""
    shown = [f"{figure.wall * 1000:.1f} ms ({figure.cpu * 1000:.1f})" for figure in (ours, peer)]
    row(name, *shown, f"{ratio:.2f}", goal, met)


def memory(name, figure, limit, goal):
    row(name, f"{figure.peak / MB:.1f} MB", "", "", goal, figure.peak <= limit)


def argo_cd():
    ours, peer = measure([RENDER, [KUBECTL, "kustomize", f"{WORK}/kustomize"]], "kustomize/argo-cd.yaml")
    output = subprocess.run(RENDER, stdin=open(f"{WORK}/kustomize/argo-cd.yaml", "rb"), capture_output=True, check=True)
    if b"secretName: wild" not in output.stdout:
        sys.exit("compare.py: the filter has not rewritten argo-cd's Ingress")
    ratio = peer.wall / ours.wall
    times("argo-cd.yaml, 1.9 MB, against kubectl kustomize", ours, peer, ratio, ">= 100 x faster", ratio >= 100)
    memory("  its memory", ours, 30 * MB, "<= 30 MB")


def without_consumers():
    size = os.path.getsize(f"{WORK}/plain-100.yaml")
    for piped, how in ((True, "pipe to pipe"), (False, "file to file in memory")):
        ours, peer = measure([RENDER, ["cat"]], "plain-100.yaml", piped)
        ratio = ours.wall / peer.wall
        times(f"100 MB without consumers against cat, {how}", ours, peer, ratio, "<= 4 x its time", ratio <= 4)
        memory("  its memory", ours, size + 20 * MB, "<= input + 20 MB")


def every_one_edited():
    size = os.path.getsize(f"{WORK}/ingresses-100.yaml")
    for piped, how in ((True, "pipe to pipe"), (False, "file to file in memory")):
        ours, peer = measure([RENDER, [PEER, "parse"]], "ingresses-100.yaml", piped)
        ratio = peer.wall / ours.wall
        times(f"100 MB of Ingresses against two bare parses, {how}", ours, peer, ratio, ">= 0.7 x its speed", ratio >= 0.7)
    row("  its memory", f"{ours.peak / MB:.0f} MB", f"{peer.peak / MB:.0f} MB", f"{ours.peak / size:.1f} x", "of the input", None)
    output = subprocess.run(RENDER, stdin=open(f"{WORK}/ingresses-10.yaml", "rb"), capture_output=True, check=True)
    if b"-tls\n" in output.stdout or b"cluster-issuer" in output.stdout:
        sys.exit("compare.py: the filter has not edited every Ingress")


def growth(name, what):
    """The exponent that fits the CPU times best, by least squares over their logarithms."""
    points = []
    for factor in (1, 10, 100):
        source = f"{what}-{factor}.yaml"
        (figure,) = measure([RENDER], source)
        points.append((math.log(os.path.getsize(f"{WORK}/{source}")), math.log(figure.cpu), figure.cpu))
    mean_x, mean_y = (statistics.mean(values) for values in list(zip(*points))[:2])
    exponent = sum((x - mean_x) * (y - mean_y) for x, y, _ in points) / sum((x - mean_x) ** 2 for x, _, _ in points)
    shown = " ".join(f"{cpu * 1000:.0f}" for _, _, cpu in points)
    row(f"growth: {name}", f"{shown} ms CPU", "", f"{exponent:.2f}", "<= 1.05", exponent <= 1.05)


print(f"\nmedians of {RUNS} runs, wall time (CPU time: user + sys of the process itself); peaks are maxima\n")
row("figure", "ours", "peer", "ratio", "goal", None)
argo_cd()
without_consumers()
every_one_edited()
growth("1, 10, 100 MB without consumers", "plain")
growth("1, 10, 100 MB of Ingresses", "ingresses")
growth("0.02, 0.2, 2 MB of Ingresses in one List", "list")
