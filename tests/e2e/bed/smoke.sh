#!/usr/bin/env bash
# Proves that the test bed behaves as real servers do. Alone it runs once for each API server; inside with-bed.sh,
# against that one.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

if [[ ! ${BED_RUN-} ]]; then
    for folder in "$bed"/cmd/kubernetes-*; do
        KUBE=${folder##*-} "$bed/with-bed.sh" "$bed/smoke.sh"
    done
    exit
fi

# within SECONDS COMMAND…: COMMAND succeeds before that.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || die "FAILED (KUBE $BED_KUBE): not in time: $*"
        sleep 0.05
    done
}
passed() { echo "ok (KUBE $BED_KUBE): $*"; }

served() {
    openssl s_client -connect "$BED_TRAEFIK" -servername "$1" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256 2>/dev/null
}
stored() {
    kubectl -n "$space" get secret "$1" -o 'jsonpath={.data.tls\.crt}' 2>/dev/null | base64 -d |
        openssl x509 -noout -fingerprint -sha256 2>/dev/null
}
exists() { kubectl -n "$space" get "$@" >/dev/null 2>&1; }
gone() { ! exists "$@"; }
serves_stored() { [[ $(served "$1") && $(served "$1") == "$(stored "$2")" ]]; }
overwritten() { [[ $(stored "$1") && $(stored "$1") != "$2" ]]; }
# ingress NAME HOST SECRET ISSUER
ingress() {
    kubectl -n "$space" apply -f - >/dev/null <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $1, annotations: {cert-manager.io/cluster-issuer: $4}}
spec:
  tls: [{hosts: [$2], secretName: $3}]
  rules: [{host: $2, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
YAML
}

trap 'say "FAILED (KUBE $BED_KUBE) in line $LINENO"' ERR
space=smoke-$$
kubectl create namespace "$space" >/dev/null
kubectl version -o json | grep -q "\"gitVersion\": \"v$BED_KUBE\"" || die "FAILED: not an API server $BED_KUBE"

ingress shim shim.example shim-tls ca
within 20 exists secret shim-tls
within 20 serves_stored shim.example shim-tls
passed "cert-manager makes an Ingress its Secret, Traefik serves it"

served unknown.example | grep -q Fingerprint
openssl s_client -connect "$BED_TRAEFIK" -servername unknown.example </dev/null 2>/dev/null |
    grep -q 'TRAEFIK DEFAULT CERT'
passed "an unknown name gets Traefik's default certificate"

kubectl -n "$space" delete ingress shim >/dev/null
within 20 gone certificate shim-tls
exists secret shim-tls
passed "the Ingress's Certificate is collected, its Secret stays"

pki=$(mktemp -d)
trap 'rm -rf "$pki"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$pki/key" -out "$pki/crt" -days 30 \
    -subj /CN=routing -addext 'subjectAltName=DNS:*.apps.example' 2>/dev/null
kubectl -n "$space" create secret tls routing --cert="$pki/crt" --key="$pki/key" >/dev/null
kubectl -n "$space" label secret routing epinio.io/routing= >/dev/null
before=$(stored routing)
ingress trigger one.apps.example routing ca
within 20 overwritten routing "$before"
[[ $(kubectl -n "$space" get secret routing -o 'jsonpath={.metadata.labels}') == *epinio.io/routing* ]]
passed "a trigger overwrites a routing secret made by hand; its label stays"

ingress acme acme.example acme-tls pebble
within 20 grep -q 'There are now 1 orders in the db' "$BED_PEBBLE_LOG"
passed "an ACME issuer makes an order on Pebble"

kubectl -n "$space" apply -f - >/dev/null <<YAML
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway, annotations: {cert-manager.io/cluster-issuer: ca}}
spec:
  gatewayClassName: none
  listeners:
    - {name: https, hostname: gateway.example, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: gateway-tls}]}}
YAML
within 20 exists secret gateway-tls
passed "the gateway shim is on"

kubectl -n "$space" apply -f - >/dev/null <<YAML
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: route}
spec:
  routes: [{match: "Host(\`gateway.example\`)", kind: Rule, services: [{name: web, port: 80}]}]
  tls: {secretName: gateway-tls}
YAML
within 20 serves_stored gateway.example gateway-tls
passed "Traefik serves an IngressRoute's Secret"

for helm in helm3 helm4; do
    "$helm" install "$helm" "$bed/chart" -n "$space" --wait --timeout 60s >/dev/null
    within 20 serves_stored "$helm.$space.example" "$helm-tls"
    "$helm" uninstall "$helm" -n "$space" >/dev/null
    passed "$("$helm" version --short) installs a chart, Traefik serves its certificate"
done

[[ $(kubectl auth can-i list secrets -A) == yes ]]
for user in nobody lister; do
    [[ $(KUBECONFIG=$BED_RUN/kubeconfig-$user kubectl auth can-i list secrets -A 2>/dev/null) == no ]]
    [[ $(KUBECONFIG=$BED_RUN/kubeconfig-$user kubectl get secrets 2>&1) == *"User \"$user\" cannot list"* ]]
done
passed "admin may all, nobody and lister nothing"

kubectl delete namespace "$space" >/dev/null
passed "a namespace goes when deleted"
