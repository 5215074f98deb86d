#!/usr/bin/env bash
# Builds the release archive of one platform into target/dist, with its bill of materials and its checksums.
#
#   release/dist.sh [TARGET]      a Rust target triple; this machine's own when not given
#
# The program is built twice, from nothing and in two folders; the release fails unless both have the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

LARGEST=$((12 * 1024 * 1024))

# macOS has no sha256sum.
sums() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

die() {
    printf 'dist: %s\n' "$*" >&2
    exit 1
}

triple=${1:-$(rustc -vV | sed -n 's/^host: //p')}
case $triple in
x86_64-*) platform=amd64 ;;
aarch64-*) platform=arm64 ;;
*) die "no release is made for $triple" ;;
esac
suffix=
case $triple in
*-linux-*) platform=linux-$platform ;;
*-apple-darwin) platform=darwin-$platform ;;
*-windows-*) platform=windows-$platform suffix=.exe ;;
*) die "no release is made for $triple" ;;
esac
version=$(sed -nE '/^\[package\]/,/^\[dep/ s/^version = "(.*)"/\1/p' Cargo.toml)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
name=kubectl-routing_secrets-v$version
dist=$PWD/target/dist
rm -rf "$dist"
mkdir -p "$dist/copy"

# build CHECKOUT: prints the program. The paths of this machine are not to be in it.
build() {
    local target=$1/target/dist/build
    (
        cd "$1"
        export CARGO_TARGET_DIR=$target
        export RUSTFLAGS="--remap-path-prefix=$1=/source --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
        cargo build --quiet --release --locked --bins --target "$triple" >&2
    )
    printf '%s' "$target/$triple/release/kubectl-routing_secrets$suffix"
}

git ls-files -z | tar -cf - --null -T - | tar -xf - -C "$dist/copy"
program=$(build "$PWD")
again=$(build "$dist/copy")
archive=$dist/$name-$platform.tar.gz
python3 release/archive.py "$program" "$archive"
python3 "$dist/copy/release/archive.py" "$again" "$dist/copy/again.tar.gz"
cmp "$archive" "$dist/copy/again.tar.gz" || die "two builds of the same sources differ"
echo "dist: two builds, in two folders, give archives with the same bytes"

size=$(wc -c <"$program")
((size <= LARGEST)) || die "the program has $size bytes; at most $LARGEST are wanted"
echo "dist: the program has $size bytes; at most $LARGEST are wanted"

# In the copy, as the tool writes beside Cargo.toml.
PATH=$(.ci/tools.sh cargo-cyclonedx)$PATH
(
    cd "$dist/copy"
    cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --target "$triple"
    # It names the folder, which is this machine's.
    sed "s|$dist/copy|/source|g" ./*_bin.cdx.json >"$dist/$name-$platform.cdx.json"
)
rm -rf "$dist/copy" "$dist/build"
(cd "$dist" && sums "$name"* >SHA256SUMS && cat SHA256SUMS)
