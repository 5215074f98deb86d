#!/usr/bin/env bash
# Ends what start.sh started in RUNDIR: stop.sh RUNDIR. The logs stay; harmless when there is nothing to end.
set -euo pipefail
[[ ${1-} ]] || { echo 'usage: stop.sh RUNDIR' >&2 && exit 2; }
[[ -d $1/pids ]] || exit 0
run=$(cd "$1" && pwd -P)

# Ours only: a number in a file may by now be another process, but not one that works in RUNDIR.
ours() { [[ $(readlink "/proc/$1/cwd" 2>/dev/null) == "$run" ]]; }

pids=()
for file in "$run"/pids/*; do
    [[ -e $file ]] || continue
    pid=$(<"$file")
    ! ours "$pid" || pids+=("$pid")
done
# An API server takes seconds to end well, and its data is thrown away.
for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || true; done
for pid in "${pids[@]}"; do
    while ours "$pid"; do sleep 0.02; done
done
rm -rf "$run/pids" "$run/etcd"
