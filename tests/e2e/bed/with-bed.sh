#!/usr/bin/env bash
# Runs COMMAND with the test bed up and RUNDIR/env sourced; ends the bed always; exits with COMMAND's code.
#
#   [KUBE=1.35.4] with-bed.sh COMMAND…
#
# When COMMAND fails, the logs stay in the run's folder, which is then named.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"
(($#)) || die "usage: with-bed.sh COMMAND…"

kube=$(kube_version)
"$bed/obtain.sh" "$kube"
run=$(mktemp -d "${TMPDIR:-/tmp}/routing-secrets-bed.XXXXXX")

child=
code=1
finish() {
    trap '' INT TERM HUP
    [[ ! $child ]] || kill -TERM "$child" 2>/dev/null || true
    "$bed/stop.sh" "$run"
    if ((code)); then say "logs: $run/log"; else rm -rf "$run"; fi
    exit "$code"
}
trap finish EXIT
trap 'code=130; exit' INT
trap 'code=143; exit' TERM HUP

KUBE=$kube "$bed/start.sh" --owner $$ "$run"
# shellcheck disable=SC1091
source "$run/env"
# In the background, or a signal would be heeded only after COMMAND's end; with our stdin and Ctrl-C all the same.
(
    trap - INT QUIT
    exec "$@"
) <&0 &
child=$!
code=0
wait "$child" || code=$?
child=
