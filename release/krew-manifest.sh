#!/usr/bin/env bash
# Prints the krew manifest of a release, with the checksums of its archives.
#
#   release/krew-manifest.sh VERSION HOMEPAGE URI SHA256SUMS >routing-secrets.yaml
#
# VERSION is a tag such as v1.2.3, URI where the archives will lie, SHA256SUMS a file as sha256sum writes it.
set -euo pipefail

(($# == 4)) || { sed -n '4p' "$0" >&2 && exit 2; }
version=$1 homepage=$2 uri=$3 sums=$4

edits=(-e 1d -e "s|VERSION|$version|" -e "s|HOMEPAGE|$homepage|" -e "s|URI/|$uri/|")
for platform in {linux,darwin,windows}-{amd64,arm64}; do
    archive=kubectl-routing_secrets-$version-$platform.tar.gz
    sum=$(awk -v archive="$archive" '$2 == archive { print $1 }' "$sums")
    [[ $sum ]] || { echo "krew-manifest: $sums has no checksum of $archive" >&2 && exit 1; }
    edits+=(-e "s|SHA256-$platform\$|$sum|")
done
sed "${edits[@]}" "$(dirname "$0")/../krew/routing-secrets.yaml"
