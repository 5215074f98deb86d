#!/bin/sh
# Puts the program where plugin.yaml looks for it, when Helm has installed or updated the plug-in. An archive of a
# release brings it along. In a checkout it is the one on the PATH, if that is of this version; else it is built.
set -eu

program=bin/kubectl-routing_secrets
cd "$HELM_PLUGIN_DIR"
wanted=$(sed -n 's/^version: *//p' plugin.yaml)

# The version of a program; nothing when it does not run.
version() { "$1" --version 2>/dev/null | sed 's/.* //'; }

fail() {
    echo "routing-secrets: $1" >&2
    exit 1
}

if [ ! -e Cargo.toml ]; then
    [ "$(version ./$program)" = "$wanted" ] || fail "the program of this archive does not run here; take this platform's"
    exit 0
fi
mkdir -p bin
rm -f $program
found=$(command -v kubectl-routing_secrets || true)
if [ "$found" ] && [ "$(version "$found")" = "$wanted" ]; then
    ln -s "$found" $program
elif command -v cargo >/dev/null; then
    echo "routing-secrets: building $wanted, some minutes" >&2
    cargo build --quiet --release --locked --target-dir target
    cp target/release/kubectl-routing_secrets $program
else
    fail "kubectl-routing_secrets $wanted is not on the PATH${found:+ ($found is another)}, and there is no cargo to build \
it; put it on the PATH and install or update the plug-in again"
fi
