#!/usr/bin/env bash
# Draws docs/pictures/*.svg from what the program prints, in colour, against the test bed: what is typed stands on top.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ! ${BED_RUN-} ]]; then
    cargo build --locked --example picture
    exec tests/e2e/bed/with-bed.sh "$0"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
picture=$PWD/target/debug/examples/picture
PATH=$PWD/target/debug:$PATH
mkdir -p docs/pictures
export COLUMNS=120

# draw NAME COMMAND…: the command's output may end with "found problems" (1), never with "could not" (2).
draw() {
    local name=$1 code=0
    shift
    { printf '\033[1m$ %s\033[0m\n' "${*/kubectl-routing_secrets/kubectl routing-secrets}" && { "$@" 2>&1 || code=$?; } && ((code < 2)); } \
        >"$work/$name"
    "$picture" <"$work/$name" >"docs/pictures/$name.svg"
}

kubectl create namespace team-a >/dev/null
kubectl apply -n team-a -f docs/pictures/team-a.yaml >/dev/null
kubectl wait -n team-a --for=condition=Ready certificate/wild certificate/shop-tls --timeout=60s >/dev/null
draw list kubectl-routing_secrets list -n team-a --color=always
draw check kubectl-routing_secrets check -n team-a --color=always
draw audit kubectl-routing_secrets audit -n team-a --color=always
draw plan kubectl-routing_secrets plan -n demo --inventory examples/inventory.yaml -f examples/render.yaml -o diff --color=always
