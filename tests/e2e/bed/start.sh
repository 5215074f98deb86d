#!/usr/bin/env bash
# Starts the servers of the test bed on free loopback ports and writes RUNDIR/env, to be sourced.
#
#   start.sh [--owner PID] RUNDIR
#
# KUBE chooses the API server. The parts must be in the cache (obtain.sh). Everything the servers write lies in RUNDIR.
# With --owner they also end when that process does, however it ends; else stop.sh RUNDIR ends them.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"

owner=
if [[ ${1-} == --owner ]]; then
    owner=$2
    shift 2
fi
[[ ${1-} ]] || die "usage: start.sh [--owner PID] RUNDIR"
mkdir -p "$1"
run=$(cd "$1" && pwd -P)
[[ ! -e $run/pids ]] || die "$run is in use or was not stopped: stop.sh $run"
kube=$(kube_version)
mkdir -p "$run"/{bin,log,pids,pki,etcd}

for part in "${all_parts[@]}"; do
    folder=$(part_folder "$part" "$kube")
    [[ -d $folder ]] || die "$(basename "$folder") is not in the cache: obtain.sh $kube"
    find "$folder/bin" -type f -exec ln -sf {} "$run/bin/" \;
done
# kubectl supports servers one minor version away.
if [[ $kube == 1.35.* ]]; then ln -sf kubectl134 "$run/bin/kubectl"; else ln -sf kubectl137 "$run/bin/kubectl"; fi
PATH=$run/bin:$PATH

started=
trap '[[ $started ]] || { "$bed/stop.sh" "$run" || true; say "not started; logs: $run/log"; }' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# spawn NAME COMMAND…: a process group of its own, which stop.sh ends; cwd in RUNDIR, by which stop.sh knows it.
spawn() {
    local name=$1
    shift
    (cd "$run" && exec setsid "$@" >"log/$name.log" 2>&1 </dev/null) &
    echo $! >"$run/pids/$name"
    disown
}

# until_true SECONDS NAME COMMAND…: waits until COMMAND succeeds. 1 when server NAME ended first.
until_true() {
    local deadline=$((SECONDS + $1)) name=$2
    shift 2
    until "$@"; do
        kill -0 "$(<"$run/pids/$name")" 2>/dev/null || return 1
        ((SECONDS < deadline)) || die "$name: not ready in time: $*"
        # Between two looks, not instead of one.
        sleep 0.05
    done
}

free_port() {
    local port
    # Below the range from which the kernel takes ports for outgoing connections.
    while port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# Whether server $1 itself, not another process, listens on port $2.
listens() {
    local pid inode
    pid=$(<"$run/pids/$1")
    inode=$(awk -v "port=:$(printf %04X "$2")" '$4 == "0A" && $2 ~ port "$" { print $10; exit }' \
        /proc/net/tcp /proc/net/tcp6)
    [[ $inode && $(find "/proc/$pid/fd" -lname "socket:\[$inode\]" 2>/dev/null) ]]
}

# on_free_ports NAME START-FUNCTION: a port may be taken between our look and the server's; then once more.
on_free_ports() {
    local attempt
    for attempt in 1 2 3 4 5; do
        port=$(free_port) other_port=$(free_port)
        "$2"
        if until_true 30 "$1" listens "$1" "$port"; then return; fi
        grep -q 'address already in use' "$run/log/$1.log" || die "$1 ended at once; $(tail -3 "$run/log/$1.log")"
        say "$1: port taken, attempt $attempt"
    done
    die "$1 found no free port"
}

start_etcd() {
    rm -rf "$run/etcd"
    # fsync buys nothing: the data is thrown away.
    spawn etcd etcd --unsafe-no-fsync --data-dir="$run/etcd" --logger=zap --log-level=warn \
        --listen-client-urls="http://127.0.0.1:$port" --advertise-client-urls="http://127.0.0.1:$port" \
        --listen-peer-urls="http://127.0.0.1:$other_port" --initial-advertise-peer-urls="http://127.0.0.1:$other_port" \
        --initial-cluster="default=http://127.0.0.1:$other_port"
}

start_pebble() {
    local certs
    certs=$(part_folder pebble)/certs/localhost
    cat >"$run/pebble.json" <<JSON
{"pebble": {"listenAddress": "127.0.0.1:$port", "managementListenAddress": "127.0.0.1:$other_port",
  "certificate": "$certs/cert.pem", "privateKey": "$certs/key.pem", "httpPort": 5002, "tlsPort": 5001,
  "ocspResponderURL": "", "externalAccountBindingRequired": false, "keyAlgorithm": "ecdsa",
  "profiles": {"default": {"description": "as Let's Encrypt's", "validityPeriod": 7776000}}}}
JSON
    spawn pebble env PEBBLE_VA_ALWAYS_VALID=1 PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 \
        pebble -config "$run/pebble.json"
}

start_api_server() {
    spawn kube-apiserver kube-apiserver --etcd-servers="http://127.0.0.1:$etcd_port" \
        --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$port" \
        --cert-dir="$run/pki" --tls-cert-file="$run/pki/server.crt" --tls-private-key-file="$run/pki/server.key" \
        --client-ca-file="$run/pki/ca.crt" --token-auth-file="$run/pki/tokens.csv" --authorization-mode=RBAC \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$run/pki/accounts.key" \
        --service-account-signing-key-file="$run/pki/accounts.key" --service-cluster-ip-range=10.0.0.0/24 \
        --endpoint-reconciler-type=none --disable-admission-plugins=ServiceAccount
}

# A CA for the server and for client certificates (CN = user, O = group); tests may sign their own with it.
make_pki() {
    local name
    openssl ecparam -name prime256v1 -genkey -noout -out "$run/pki/ca.key"
    openssl req -x509 -new -key "$run/pki/ca.key" -subj /CN=bed-ca -days 30 -out "$run/pki/ca.crt"
    openssl ecparam -name prime256v1 -genkey -noout -out "$run/pki/server.key"
    openssl req -new -key "$run/pki/server.key" -subj /CN=kube-apiserver |
        openssl x509 -req -CA "$run/pki/ca.crt" -CAkey "$run/pki/ca.key" -CAcreateserial -days 30 \
            -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\nextendedKeyUsage=serverAuth\n') \
            -out "$run/pki/server.crt" 2>/dev/null
    openssl genrsa -traditional -out "$run/pki/accounts.key" 2048 2>/dev/null
    for name in admin nobody lister; do openssl rand -hex 16 >"$run/pki/$name.token"; done
    printf '%s,admin,admin,"system:masters"\n%s,nobody,nobody\n%s,lister,lister\n' \
        "$(<"$run/pki/admin.token")" "$(<"$run/pki/nobody.token")" "$(<"$run/pki/lister.token")" >"$run/pki/tokens.csv"
    chmod -R go= "$run/pki"
}

# kubeconfig USER FILE: one context, called bed.
kubeconfig() {
    (
        umask 077
        cat >"$2" <<YAML
apiVersion: v1
kind: Config
current-context: bed
clusters: [{name: bed, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: "$run/pki/ca.crt"}}]
users: [{name: $1, user: {token: "$(<"$run/pki/$1.token")"}}]
contexts: [{name: bed, context: {cluster: bed, user: $1, namespace: default}}]
YAML
    )
}

write_env() {
    local name value
    while read -r name value; do
        printf 'export %s=%q\n' "$name" "$value"
    done >"$run/env.tmp" <<LIST
KUBECONFIG $run/kubeconfig
PATH $PATH
HELM_CACHE_HOME $run/helm/cache
HELM_CONFIG_HOME $run/helm/config
HELM_DATA_HOME $run/helm/data
KUBECACHEDIR $run/kubecache
BED_RUN $run
BED_KUBE $kube
BED_SERVER https://127.0.0.1:$api_port
BED_CA $run/pki/ca.crt
BED_CA_KEY $run/pki/ca.key
BED_KUBECONFIG_NOBODY $run/kubeconfig-nobody
BED_KUBECONFIG_LISTER $run/kubeconfig-lister
BED_TOKEN_ADMIN $(<"$run/pki/admin.token")
BED_TOKEN_NOBODY $(<"$run/pki/nobody.token")
BED_TOKEN_LISTER $(<"$run/pki/lister.token")
BED_TRAEFIK $(<"$run/traefik.address")
BED_PEBBLE https://127.0.0.1:$pebble_port/dir
BED_PEBBLE_MANAGEMENT https://127.0.0.1:$pebble_management
BED_PEBBLE_LOG $run/log/pebble.log
BED_CRDS $crds
LIST
    chmod 600 "$run/env.tmp"
    mv "$run/env.tmp" "$run/env"
}

quiet() { "$@" >>"$run/log/start.log" 2>&1; }
answers() { kubectl get --raw "$1" >/dev/null 2>&1; }
# Not "kubectl wait crd --all": it takes them one after the other, 5 seconds.
crds_established() {
    local established='{range .items[*]}{.status.conditions[?(@.type=="Established")].status}{"\n"}{end}'
    [[ $(kubectl get crd -o jsonpath="$established" 2>/dev/null | sort -u) == True ]]
}

crds=$(part_folder crds)
if [[ $owner ]]; then
    # tail looks once a second; not among the pids, so that stop.sh does not end it in mid-stop.
    # shellcheck disable=SC2016
    (cd / && exec setsid bash -c 'tail --pid="$1" -f /dev/null; exec "$2" "$3"' - "$owner" "$bed/stop.sh" "$run" \
        </dev/null >/dev/null 2>&1) &
fi

make_pki
on_free_ports etcd start_etcd
etcd_port=$port
on_free_ports kube-apiserver start_api_server
api_port=$port
for user in admin nobody lister; do kubeconfig "$user" "$run/kubeconfig-$user"; done
mv "$run/kubeconfig-admin" "$run/kubeconfig"
export KUBECONFIG=$run/kubeconfig KUBECACHEDIR=$run/kubecache
on_free_ports pebble start_pebble
pebble_port=$port pebble_management=$other_port
until_true 60 kube-apiserver answers /readyz || die "kube-apiserver ended"

applies=()
for file in "$crds"/*.yaml; do
    quiet kubectl apply --server-side --validate=false -f "$file" &
    applies+=($!)
done
for apply in "${applies[@]}"; do wait "$apply" || die "CRDs were refused: $run/log/start.log"; done
until_true 60 kube-apiserver crds_established || die "kube-apiserver ended"

# After the CRDs: the garbage collector is late with what it does not know, Traefik waits for its own.
spawn kube-controller-manager kube-controller-manager --kubeconfig="$run/kubeconfig" --secure-port=0 \
    --controllers=garbagecollector,namespace,serviceaccount --leader-elect=false
spawn certmanager certmanager --kubeconfig="$run/kubeconfig" --gateway
spawn traefik traefik --listen=127.0.0.1:0 --address-file="$run/traefik.address"

sed "s|PEBBLE_DIRECTORY|https://127.0.0.1:$pebble_port/dir|" "$bed/issuers.yaml" >"$run/issuers.yaml"
quiet kubectl apply --server-side --validate=false -f "$run/issuers.yaml" || die "the issuers were refused"
for issuer in ca pebble; do
    quiet kubectl wait --for=condition=Ready --timeout=60s "clusterissuer/$issuer" ||
        die "ClusterIssuer $issuer is not Ready: $run/log/certmanager.log"
done
until_true 60 traefik test -s "$run/traefik.address" || die "traefik ended: $run/log/traefik.log"
until_true 30 kube-controller-manager kill -0 "$(<"$run/pids/kube-controller-manager")"

write_env
started=yes
