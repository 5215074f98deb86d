#!/usr/bin/env bash
# Installs the cargo tools that CI and releases use, once, into the cache of the test bed; prints their folders as a
# part of PATH.
#
#   .ci/tools.sh [NAME…]      all of them when not given
set -euo pipefail

# name version
tools=(
    "cargo-cyclonedx 0.5.9"
    "cargo-deny 0.20.2"
    "cargo-machete 0.9.2"
)

cache=${ROUTING_SECRETS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/routing-secrets-testbed}
folder=$cache/cargo-tools
mkdir -p "$folder"
exec 9>"$folder.lock"
# macOS and Windows have none; nothing runs twice at once there.
! command -v flock >/dev/null || flock 9
# They do little work: a quick build is worth more than a quick program.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_STRIP=true
found=
for tool in "${tools[@]}"; do
    name=${tool% *} version=${tool#* }
    case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
    found+=$folder/$name-$version/bin:
    # The version is in the folder's name, so that a checkout of another time finds its own.
    [ -x "$folder/$name-$version/bin/$name" ] && continue
    # Outside the checkout, whose flags and targets are not theirs.
    (cd / && CARGO_TARGET_DIR="$folder/build" cargo install --quiet --locked --version "$version" \
        --root "$folder/$name-$version" "$name" 9>&-) >&2
done
rm -rf "$folder/build"
printf '%s' "$found"
