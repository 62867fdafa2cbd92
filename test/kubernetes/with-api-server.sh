#!/usr/bin/env bash
# Runs a command with KUBECONFIG set to a real API server of its own: kube-apiserver and etcd on loopback, without
# controllers and kubelets, gone when the command ends.
#   test/kubernetes/with-api-server.sh npm run test:api
# No package of Debian 12 has kube-apiserver: it is built from the source of kubernetes-client, which is whole (1.20.2), with
# Debian's Go. That takes some five minutes of one processor and 2 GB in .cgroup-medic/api-server, and is done once.
set -o errexit -o nounset -o pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${API_SERVER_FOLDER:-$repository/.cgroup-medic/api-server}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
port=${API_SERVER_PORT:-26443}
etcd_port=$((port + 1))
peer_port=$((port + 2))

log() {
  printf '%s\n' "$*" >&2
}

# apt with lists of its own: most machines have no sources of source packages, and are left as they are.
own_apt() {
  local command=$1
  shift
  "$command" -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$folder/lists" -o Dir::Cache="$folder/cache" -o APT::Sandbox::User=root -qq "$@"
}

fetch() {
  local key=/usr/share/keyrings/debian-archive-keyring.gpg package
  mkdir -p "$folder"/{lists/partial,cache/archives/partial,packages,root,go/src/k8s.io}
  printf '%s [signed-by=%s] %s bookworm main\n' deb "$key" "$mirror" deb-src "$key" "$mirror" >"$folder/sources.list"
  own_apt apt-get update
  cd "$folder/packages"
  own_apt apt-get download etcd-server golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
  own_apt apt-get source --download-only kubernetes
  for package in ./*.deb; do dpkg -x "$package" "$folder/root"; done
  rm -rf "$folder/go/src/k8s.io/kubernetes"
  dpkg-source --no-check -x ./kubernetes_*.dsc "$folder/go/src/k8s.io/kubernetes" >/dev/null
  # Its own is of a time before Go 1.18, and crashes with a later one where a map is written as JSON.
  local fixed=$folder/go/src/k8s.io/kubernetes/vendor/github.com/modern-go/reflect2
  rm -rf "$fixed"
  cp -r "$folder/root/usr/share/gocode/src/github.com/modern-go/reflect2" "$fixed"
  rm -f "$fixed"/*_test.go
}

# The one file that the source lacks: the types of all objects, which the API server needs to know who has set a field.
describe_types() {
  local directories kubernetes=k8s.io/kubernetes
  go build -o "$folder/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  directories=$(
    for part in pkg plugin cmd vendor/k8s.io/*/; do
      grep -rl --include='*.go' '+k8s:openapi-gen=' "$part" || true
    done | grep -v -e code-generator -e sample- -e zz_generated -e _examples -e /kube-openapi/ -e /gengo/ |
      sed -e 's|//|/|g' -e 's|/[^/]*$||' -e "s|^|$kubernetes/|" | LC_ALL=C sort -u | paste -sd,
  )
  "$folder/openapi-gen" --logtostderr -i "$directories" -p "$kubernetes/pkg/generated/openapi" \
    -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$folder/violations" \
    --output-base "$folder/go/src"
}

build() {
  log "building kube-apiserver in $folder: some minutes, once"
  fetch
  export GOROOT=$folder/root/usr/lib/go-1.19 GOPATH=$folder/go GOCACHE=$folder/gocache GO111MODULE=off CGO_ENABLED=0
  export PATH=$GOROOT/bin:$PATH
  cd "$folder/go/src/k8s.io/kubernetes"
  describe_types
  go build -ldflags '-s -w' -o "$folder/kube-apiserver.new" ./cmd/kube-apiserver
  mv "$folder/kube-apiserver.new" "$folder/kube-apiserver"
}

start() {
  local etcd=http://127.0.0.1:$etcd_port peer=http://127.0.0.1:$peer_port token issuer=https://kubernetes.default.svc
  token=$(openssl rand -hex 16)
  openssl genrsa -out "$run/accounts.key" 2048 2>/dev/null
  printf '%s,admin,admin,"system:masters"\n' "$token" >"$run/tokens.csv"
  "$folder/root/usr/bin/etcd" --data-dir "$run/etcd" --unsafe-no-fsync --listen-client-urls "$etcd" \
    --advertise-client-urls "$etcd" --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
    --initial-cluster "default=$peer" >"$run/etcd.log" 2>&1 &
  started+=($!)
  "$folder/kube-apiserver" --etcd-servers="$etcd" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 \
    --secure-port="$port" --cert-dir="$run" --token-auth-file="$run/tokens.csv" --authorization-mode=RBAC \
    --service-account-issuer="$issuer" --service-account-key-file="$run/accounts.key" \
    --service-account-signing-key-file="$run/accounts.key" --service-cluster-ip-range=10.96.0.0/16 \
    >"$run/api-server.log" 2>&1 &
  started+=($!)
  cat >"$run/kubeconfig" <<EOF
apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: admin } }]
clusters: [{ name: test, cluster: { server: "https://127.0.0.1:$port", certificate-authority: apiserver.crt } }]
users: [{ name: admin, user: { token: $token } }]
EOF
  for _ in $(seq 120); do
    if ask readyz | grep -qx ok; then return; fi
    sleep 0.5
  done
  log "the API server is not ready after a minute:"
  tail -n 20 "$run/api-server.log" >&2
  return 1
}

ask() {
  curl --silent --cacert "$run/apiserver.crt" --header "Authorization: Bearer $token" "https://127.0.0.1:$port/$1" || true
}

end() {
  local process
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$run"
}

[[ -x $folder/kube-apiserver ]] || (build)
started=()
run=$(mktemp -d)
trap end EXIT
start
KUBECONFIG=$run/kubeconfig "$@"
