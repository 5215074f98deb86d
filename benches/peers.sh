#!/usr/bin/env bash
# Everything that is measured, in one run, beside its peers: writes benches/RESULTS.md.
#
#   benches/peers.sh [RUNS]
#
# Needs what compare.sh needs, and the test bed (Go, Python, on Debian apt-get). Takes some minutes on two idle cores;
# on a busy machine its ratios say little.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5}
results=benches/RESULTS.md
# shellcheck source=../tests/e2e/bed/lib.sh
source tests/e2e/bed/lib.sh

"$bed/obtain.sh"
"$bed/obtain.sh" --only yq
cargo build --locked --release --bins --example peer
cargo build --locked --release --quiet --manifest-path benches/round-trip/Cargo.toml
work=$(mktemp -d "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/peers.XXXXXX")
trap 'rm -rf "$work"' EXIT

export WORK=$work RUNS=$runs FILTER=$PWD/target/release/kubectl-routing_secrets
export HELM3_BIN=$(part_folder helm3)/bin/helm3 HELM4_BIN=$(part_folder helm4)/bin/helm4 YQ_BIN=$(part_folder yq)/bin/yq
export KUBECTL=$(part_folder helm4)/bin/kubectl137 ROUND_TRIP=$PWD/benches/round-trip/target/release/round-trip
export CORPUS=${ROUTING_SECRETS_CORPUS:-../shared/corpus} PEER=$PWD/target/release/examples/peer

{
    printf '# Results of `benches/peers.sh %s`\n\n' "$runs"
    printf '%s, %s, commit %s. ' "$(date -u +%F)" "$("$FILTER" --version)" "$(git rev-parse --short HEAD)"
    printf '%s x %s, load %s at the start. ' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" \
        "$(cut -d' ' -f1 /proc/loadavg)"
    printf 'kubectl %s, Helm %s and %s, yq %s, serde_yaml 0.9.\n' "$HELM4_KUBECTL" "$HELM3" "$HELM4" "$YQ"
    printf '\nMedians of wall times, CPU time in parentheses; memory is the highest peak.\n'
    printf '\n## One render of 1.9 MB (argo-cd), and a large chart under Helm\n\n```text\n'
    python3 benches/peers.py
    printf '```\n\n## Large streams, and growth (`benches/compare.sh`)\n\n```text\n'
    benches/compare.sh "$runs"
    printf '```\n\n## list (`benches/list.sh`)\n\n'
    benches/list.sh "$runs"
    printf '\n## audit and match (`benches/audit.sh`)\n\n'
    benches/audit.sh
    printf '\n## Start (`benches/start.py`)\n\n'
    # A goal that is not met is only shown.
    python3 benches/start.py "$FILTER" || true
} >"$work/results.md"
mv "$work/results.md" "$results"
cat "$results"
