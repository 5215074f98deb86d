"""Times whole processes, and prints what was found as rows of a table. WORK is the folder of the inputs, RUNS the number of runs."""

import os
import statistics
import subprocess
import sys
import time

WORK, RUNS = os.environ["WORK"], int(os.environ["RUNS"])
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
