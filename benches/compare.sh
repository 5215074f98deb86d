#!/usr/bin/env bash
# Whole processes against their peers, with the goals of the design: speed, peak memory, and growth with the input.
#
#   benches/compare.sh [RUNS]
#
# Inputs are made in a temporary folder in memory. The render of argo-cd is third-party text: $ROUTING_SECRETS_CORPUS,
# else ../shared/corpus, is the folder that holds argo-cd.yaml. KUBECTL names a kubectl; else the newest of the test
# bed's cache is taken, else the one on the PATH. Exits with 1 when something cannot be measured; a goal that is not
# met is only shown.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    printf 'compare.sh: %s\n' "$*" >&2
    exit 1
}

runs=${1:-7}
[[ $runs =~ ^[1-9][0-9]*$ ]] || die "usage: compare.sh [RUNS]"
for tool in cargo python3 cat; do
    command -v "$tool" >/dev/null || die "$tool is needed"
done
corpus=${ROUTING_SECRETS_CORPUS:-../shared/corpus}
[[ -r $corpus/argo-cd.yaml ]] || die "$corpus/argo-cd.yaml is missing: name its folder in ROUTING_SECRETS_CORPUS"
cache=${ROUTING_SECRETS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/routing-secrets-testbed}
kubectl=${KUBECTL:-}
for candidate in "$cache"/helm4-*/bin/kubectl* "$cache"/helm3-*/bin/kubectl* "$(command -v kubectl || true)"; do
    [[ $kubectl || ! -x $candidate ]] || kubectl=$candidate
done
[[ -x $kubectl ]] || die "a kubectl is needed: run tests/e2e/bed/obtain.sh --only helm, or set KUBECTL"

cargo build --locked --release --bins --example peer
target=$(cargo metadata --locked --format-version 1 --no-deps |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')

memory=${TMPDIR:-/tmp}
[[ ! -w /dev/shm ]] || memory=/dev/shm
work=$(mktemp -d "$memory/compare.XXXXXX")
trap 'rm -rf "$work"' EXIT

peer=$target/release/examples/peer
"$peer" secrets 3 >"$work/inventory.yaml"
for size in 1 10 100; do
    "$peer" plain $((size * 1000 * 1000)) >"$work/plain-$size.yaml"
    "$peer" ingresses $((size * 1000 * 1000)) >"$work/ingresses-$size.yaml"
done
# Lists are made by people and programs, not by charts: smaller sizes.
for factor in 1 10 100; do
    "$peer" list $((factor * 20 * 1000)) >"$work/list-$factor.yaml"
done

mkdir "$work/kustomize"
cp "$corpus/argo-cd.yaml" "$work/kustomize/"
cat >"$work/kustomize/kustomization.yaml" <<'YAML'
resources: [argo-cd.yaml]
patches:
- target: {group: networking.k8s.io, kind: Ingress, name: rel-argocd-server}
  patch: |
    - {op: replace, path: /spec/tls/0/secretName, value: wild}
    - {op: remove, path: /metadata/annotations/cert-manager.io~1cluster-issuer}
YAML

export FILTER=$target/release/kubectl-routing_secrets PEER=$peer KUBECTL=$kubectl WORK=$work RUNS=$runs
printf 'kubectl: %s (%s)\n' "$kubectl" "$("$kubectl" version --client 2>/dev/null | head -1)"
printf 'machine: %s x %s; load %s\n' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" \
    "$(cut -d' ' -f1-3 /proc/loadavg)"
python3 benches/compare.py
