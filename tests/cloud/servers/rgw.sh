#!/usr/bin/env bash
# A Ceph object store (one monitor, one disk that is a sparse file, one gateway) for one test: rgw.sh FOLDER PORT
# Prints "ready" when the gateway answers at http://127.0.0.1:PORT, and lives until its standard input ends. Keys:
# $ACCESS_KEY and $SECRET_KEY. Debian and Ubuntu: radosgw ceph-mon ceph-osd ceph-common ceph-base curl.
set -u
folder=$1 port=$2
: "${ACCESS_KEY:?}" "${SECRET_KEY:?}"
export CEPH_CONF=$folder/ceph.conf
mkdir -p "$folder"/{mon,osd,run,log,rgw}

stop() {
  for name in client.rgw osd.0 mon.a; do
    pid=$(cat "$folder/run/$name.pid" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null
  done
}
trap stop EXIT
fail() { echo "failed: $*"; exit 1; }
# until_true COUNT COMMAND...: tries every tenth of a second.
until_true() {
  local count=$1
  shift
  for _ in $(seq "$count"); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  return 1
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

monitor=$(free_port)
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon host = [v1:127.0.0.1:$monitor]
mon initial members = a
no mon config = true
public network = 127.0.0.0/8
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
run dir = $folder/run
admin socket = $folder/run/\$name.\$pid.asok
pid file = $folder/run/\$name.pid
log file = $folder/log/\$name.log
log to stderr = false
crash dir = $folder/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon warn on pool no redundancy = false
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.05
paxos min wait = 0.01
[mon]
mon data = $folder/mon
mon data avail warn = 2
mon data avail crit = 1
[osd]
osd data = $folder/osd
osd objectstore = bluestore
bluestore block create = true
bluestore block size = $((32 << 30))
bluestore fsck on mount = false
osd memory target = 939524096
[client.rgw]
rgw data = $folder/rgw
rgw enable usage log = false
rgw gc obj min wait = 1
rgw gc processor period = 2
rgw gc processor max time = 2
rgw run sync thread = false
CONF

monmaptool --create --clobber --fsid "$fsid" --addv a "[v1:127.0.0.1:$monitor]" "$folder/monmap" >/dev/null || fail monmap
ceph-mon --mkfs -i a --monmap "$folder/monmap" || fail "monitor's store"
ceph-mon -i a || fail monitor
# Before its quorum the monitor answers with an empty identity, and who talks to it then hangs: hence all the timeouts.
quorum() { timeout 3 ceph quorum_status 2>/dev/null | grep -q '"quorum_leader_name":"a"'; }
until_true 100 quorum || fail quorum
disk=$(cat /proc/sys/kernel/random/uuid)
new_disk() { timeout 8 ceph osd new "$disk"; }
until_true 5 new_disk || fail "disk's number"
ceph-osd -i 0 --mkfs --osd-uuid "$disk" >>"$folder/log/mkfs.log" 2>&1 || fail "disk's store"
start_disk() { timeout 20 ceph-osd -i 0 --no-mon-config; }
until_true 10 start_disk || fail disk
disk_is_up() { timeout 3 ceph osd stat 2>/dev/null | grep -q '1 up'; }
until_true 100 disk_is_up || fail "disk is not up"
radosgw -n client.rgw --rgw-frontends="beast endpoint=127.0.0.1:$port" || fail gateway
until_true 300 curl -sf -o /dev/null "http://127.0.0.1:$port/" || fail "gateway does not answer"
timeout 30 radosgw-admin user create --uid=test --display-name=test --access-key="$ACCESS_KEY" \
  --secret-key="$SECRET_KEY" >/dev/null 2>&1 || fail user
echo ready
cat >/dev/null
