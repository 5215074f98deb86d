#!/usr/bin/env bash
# Writes cmd/kubernetes-VERSION/{go.mod,go.sum}: a module that builds Kubernetes' own servers. Run by hand for a new
# version; the result is committed. k8s.io/kubernetes requires its staging modules at v0.0.0, so each is replaced.
set -euo pipefail

version=${1:?usage: cmd/new-kubernetes.sh VERSION, for example 1.37.2}
staging=v0.${version#*.}
folder=$(cd "$(dirname "$0")" && pwd)/kubernetes-$version
upstream=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')

mkdir -p "$folder"
{
    printf 'module routing-secrets.test/kubernetes\n\n'
    grep -E '^(go|godebug) ' "$upstream"
    printf '\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
    # Exactly v0.0.0: kube-openapi and utils are pseudo-versions, that is, real ones.
    sed -nE "s|^\t(k8s\.io/[^ ]+) v0\.0\.0( .*)?$|\t\1 => \1 $staging|p" "$upstream" | sort -u
    printf ')\n'
} >"$folder/go.mod"

# Not "go mod tidy": it would ask for the dependencies of tests, some of which are not to be had.
cd "$folder"
rm -f go.sum
go list -mod=mod -deps k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager >/dev/null
