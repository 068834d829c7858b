#!/usr/bin/env bash
# OpenStack Swift with its S3 interface for one test: swift.sh FOLDER PORT
# Prints "ready" when it answers at http://127.0.0.1:PORT, and lives until its standard input ends. The key's id is
# $ACCESS_KEY, of the form account:user, its secret $SECRET_KEY. Debian and Ubuntu: python3-swift swift-proxy
# swift-account swift-container swift-object memcached curl.
set -u
folder=$1 port=$2
: "${ACCESS_KEY:?}" "${SECRET_KEY:?}"
mkdir -p "$folder"/{srv/d1,etc,run}
fail() { echo "failed: $*"; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  wait
}
trap stop EXIT

cd "$folder/etc" || fail folder
cat >swift.conf <<CONF
[swift-hash]
swift_hash_path_suffix = x
swift_hash_path_prefix = y
[storage-policy:0]
name = p0
default = yes
CONF
ports=("$port")
for kind in account container object; do
  kind_port=$(free_port)
  ports+=("$kind_port")
  swift-ring-builder $kind.builder create 6 1 1 >/dev/null &&
    swift-ring-builder $kind.builder add --region 1 --zone 1 --ip 127.0.0.1 --port "$kind_port" --device d1 --weight 1 >/dev/null &&
    swift-ring-builder $kind.builder rebalance >/dev/null || fail "ring of $kind"
  cat >$kind-server.conf <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $kind_port
devices = $folder/srv
mount_check = false
user = $(id -un)
swift_dir = $folder/etc
workers = 1
log_level = WARNING
fallocate_reserve = 0
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
CONF
done
cache_port=$(free_port)
cat >proxy-server.conf <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
user = $(id -un)
swift_dir = $folder/etc
workers = 1
log_level = WARNING
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth slo dlo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_${ACCESS_KEY%%:*}_${ACCESS_KEY#*:} = $SECRET_KEY .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = no
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$cache_port
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
CONF
memcached -u "$(id -un)" -l 127.0.0.1 -p "$cache_port" >/dev/null 2>&1 </dev/null &
pids+=($!)
for kind in account container object proxy; do
  /usr/bin/python3 "$(command -v swift-$kind-server)" "$folder/etc/$kind-server.conf" >"$folder/run/$kind.log" 2>&1 </dev/null &
  pids+=($!)
done
answers() { [[ $(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1/") != 000 ]]; }
# The proxy alone would answer 503 until those behind it are there.
for one in "${ports[@]}"; do
  for _ in $(seq 300); do
    answers "$one" && break
    sleep 0.1
  done
  answers "$one" || fail "it does not answer: $(tail -n 3 "$folder"/run/*.log)"
done
echo ready
cat >/dev/null
