"""Times the processes that compare.sh has prepared, and prints the table."""

import math
import os
import statistics
import subprocess
import sys

from measure import MB, RUNS, WORK, measure, memory, row, times

FILTER, PEER, KUBECTL = (os.environ[name] for name in ("FILTER", "PEER", "KUBECTL"))
RENDER = [FILTER, "post-render", "-n", "demo", "--inventory", f"{WORK}/inventory.yaml"]


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
