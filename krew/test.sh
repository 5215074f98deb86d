#!/usr/bin/env bash
# What `make dist` built, by way of the real krew and its validator: install, use, upgrade, uninstall. Offline.
#
#   krew/test.sh [DIST]      the folder with the archive; target/dist when not given
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=../tests/e2e/bed/lib.sh
source tests/e2e/bed/lib.sh

dist=${1:-target/dist}
platform=linux-amd64
archive=$(find "$dist" -name "kubectl-routing_secrets-v*-$platform.tar.gz" | sort | tail -1)
[[ $archive ]] || { echo "krew/test.sh: there is no archive in $dist: make dist" >&2 && exit 1; }
version=${archive##*/kubectl-routing_secrets-}
version=${version%-"$platform".tar.gz}
next=v99.0.0

tests/e2e/bed/obtain.sh --only krew,helm4
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$folder"' EXIT
mkdir "$folder"/{bin,served,home}
ln -s "$(part_folder helm4)/bin/kubectl137" "$folder/bin/kubectl"
ln -s "$(part_folder krew)"/bin/* "$folder/bin"
export HOME=$folder/home KREW_ROOT=$folder/krew KREW_NO_UPGRADE_CHECK=1 KREW_DEFAULT_INDEX_URI=file://$folder/index
export PATH=$folder/bin:$KREW_ROOT/bin:/usr/bin:/bin
unset KUBECONFIG

step() { printf '\n== %s\n' "$*"; }
fails() {
    if "$@" >"$folder/output" 2>&1; then cat "$folder/output" && echo "this should have failed: $*" >&2 && exit 1; fi
    cat "$folder/output"
}
commit() {
    git -C "$folder/index" add -A
    git -C "$folder/index" -c user.name=test -c user.email=test@example.com commit -qm "$1"
}
# finds TEXT COMMAND…: the command succeeds, and its output holds the text.
finds() {
    "${@:2}" >"$folder/output" 2>&1 || { cat "$folder/output" && exit 1; }
    cat "$folder/output"
    grep -qF -- "$1" "$folder/output" || { echo "this is not in it: $1" >&2 && exit 1; }
}

step "archives of this release and of a next one, on 127.0.0.1"
for of in "$version" "$next"; do
    for other in {linux,darwin,windows}-{amd64,arm64}; do
        served=$folder/served/kubectl-routing_secrets-$of-$other.tar.gz
        if [[ $other == "$platform" ]]; then
            cp "$archive" "$served"
        else
            stub=$folder/stub$([[ $other != windows-* ]] || echo .exe)
            echo "not built here" >"$stub"
            python3 release/archive.py "$stub" "$served"
        fi
    done
done
echo "$platform is what make dist built; the other five have its layout with a stub in place of the program; $next holds the program of $version"
(cd "$folder/served" && sha256sum -- * >SHA256SUMS)
python3 -u - "$folder" <<'PYTHON' &
import functools, http.server, pathlib, sys

folder = pathlib.Path(sys.argv[1])
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
handler = functools.partial(Quiet, directory=folder / "served")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
(folder / "port.new").write_text(str(server.server_port))
(folder / "port.new").rename(folder / "port")
server.serve_forever()
PYTHON
server=$!
until [[ -e $folder/port ]]; do kill -0 "$server" && sleep 0.05; done
uri=http://127.0.0.1:$(<"$folder/port")
mkdir -p "$folder"/index/plugins "$folder"/next
release/krew-manifest.sh "$version" "$uri" "$uri" "$folder/served/SHA256SUMS" >"$folder/index/plugins/routing-secrets.yaml"
release/krew-manifest.sh "$next" "$uri" "$uri" "$folder/served/SHA256SUMS" >"$folder/next/routing-secrets.yaml"
manifest=$folder/index/plugins/routing-secrets.yaml

git -C "$folder/index" init -q
commit "$version"

step "validate-krew-manifest: the manifest, and an installation on each platform"
validate-krew-manifest -manifest "$manifest" -v=0

step "install from the manifest and the archive, use, uninstall"
kubectl krew update
kubectl krew install --manifest="$manifest" --archive="$archive"
finds kubectl-routing_secrets kubectl plugin list
finds wildcard-tls kubectl routing-secrets list --inventory examples/inventory.yaml -A
finds "${version#v}" kubectl routing-secrets --version
[[ -f $KREW_ROOT/store/routing-secrets/$version/LICENSE ]]
kubectl krew uninstall routing-secrets
fails kubectl routing-secrets --version

step "install from an index, upgrade, uninstall"
kubectl krew install routing-secrets
finds "/$version/" readlink "$KREW_ROOT/bin/kubectl-routing_secrets"
cp "$folder/next/routing-secrets.yaml" "$manifest"
commit "$next"
kubectl krew upgrade
finds "/$next/" readlink "$KREW_ROOT/bin/kubectl-routing_secrets"
finds wildcard-tls kubectl routing-secrets list --inventory examples/inventory.yaml -A
kubectl krew uninstall routing-secrets
fails kubectl routing-secrets --version

printf '\nkrew: all of it works\n'
