#!/usr/bin/env bash
# The image of plume-infer, made and run: image_test.sh PLUME PLUME_INFER SOURCE_FOLDER
# It is small and the same each time, holds what its SBOM lists, and runs read-only, without privileges and as no root:
# it answers as the program outside does, ends by SIGTERM, and says in a line what is wrong with its model. Exit status
# 77, with a line that says why: containers cannot be made or run here, or NASA's model is not there.
set -euo pipefail
plume="$1" plume_infer="$2" source="$3"
megabytes=25
python=/usr/bin/python3  # Debian's, with Debian's numpy
folder="$(mktemp -d)"
container=""
podman=(podman --root "$folder/store" --runroot "$folder/run" --storage-driver vfs --cgroup-manager=cgroupfs
  --events-backend=file --runtime runc)
run=(run --network=host --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 --read-only --cap-drop=all
  --security-opt no-new-privileges)

cleanup() {
  if [[ -n $container ]]; then "${podman[@]}" rm -f -t 0 "$container" >/dev/null 2>&1 || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
skip() {
  echo "image_test.sh: $1"
  exit 77
}
fail() {
  echo "FAILED: $1"
  exit 1
}

keras="$source/../shared/data/pixel_detector/smoke_wmts_ref_3layer.h5"
[[ -e $keras ]] || skip "NASA's model is not there"
for tool in buildah skopeo podman runc curl "$python"; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done

image() { "$source/unet/serve/image/image.sh" "$plume_infer" plume-infer:test "$1"; }
image "$folder/image"
image "$folder/again" >/dev/null
cmp "$folder/image/oci/index.json" "$folder/again/oci/index.json" || fail "the same program gives another image"
size="$(du -s --block-size=1MB "$folder/image/oci" | cut -f 1)"
((size <= megabytes)) || fail "the image has $size MB, more than $megabytes"

files="$folder/image/context/rootfs"
"$python" - "$files" <<'PYTHON'
import json, pathlib, sys
files = pathlib.Path(sys.argv[1])
sbom = json.loads((files / "usr/share/sbom/plume-infer.spdx.json").read_text())
listed = {package["name"] for package in sbom["packages"]}
licensed = {folder.name for folder in (files / "usr/share/doc").iterdir()} - {"plume"}
assert "plume-infer" in listed and licensed <= listed, licensed - listed
assert any((files / "usr/lib").rglob("libc.so.6")) and "libc6" in listed
PYTHON

"${podman[@]}" load --quiet -i "$folder/image/plume-infer-test.tar" >/dev/null || skip "podman cannot load images here"
"${podman[@]}" "${run[@]}" --rm plume-infer:test --version >"$folder/version" 2>"$folder/errors" ||
  skip "podman cannot run containers here: $(tail -n 1 "$folder/errors")"

# Without a model, and with half of one: a line, and non-zero.
mkdir "$folder/model"
"$plume" import keras "$keras" --output "$folder/model/model.safetensors" >/dev/null
mkdir "$folder/half"
head -c 1000 "$folder/model/model.safetensors" >"$folder/half/model.safetensors"
chmod -R a+rX "$folder"
for mount in "" "$folder/half:/opt/ml/model:ro"; do
  status=0
  "${podman[@]}" "${run[@]}" --rm ${mount:+-v "$mount"} plume-infer:test serve >/dev/null 2>"$folder/errors" ||
    status=$?
  ((status != 0)) || fail "it serves without a model"
  [[ $(grep -c . "$folder/errors") == 1 ]] || fail "more than a line: $(<"$folder/errors")"
done

port="$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
container="$("${podman[@]}" "${run[@]}" -d -v "$folder/model:/opt/ml/model:ro" -e "SAGEMAKER_BIND_TO_PORT=$port" \
  plume-infer:test)"
url="http://127.0.0.1:$port"
healthy() {
  for _ in $(seq 100); do
    if [[ $(curl -s -o /dev/null -w '%{http_code}' "$url/ping") == 200 ]]; then return; fi
    sleep 0.05
  done
  fail "/ping does not answer with 200"
}
healthy
user="$("${podman[@]}" top "$container" huser | tail -n 1)"
[[ $user == 10001 ]] || fail "it runs as $user"

"$python" -c 'import numpy, sys
numpy.save(sys.argv[1], numpy.random.default_rng(1).standard_normal((256, 256, 6), numpy.float32))' "$folder/tile.npy"
curl -s --fail -H 'Content-Type: application/x-npy' -H 'Accept: application/x-npy' --data-binary "@$folder/tile.npy" \
  "$url/invocations" -o "$folder/inside.npy" || fail "it does not answer"
"$plume_infer" predict "$folder/model/model.safetensors" "$folder/tile.npy" -o "$folder/outside.npy" >/dev/null
"$python" -c 'import numpy, sys
inside, outside = (numpy.load(file).reshape(256, 256) for file in sys.argv[1:])
assert abs(inside - outside).max() == 0, abs(inside - outside).max()' "$folder/inside.npy" "$folder/outside.npy"

"${podman[@]}" stop -t 20 "$container" >/dev/null
status="$("${podman[@]}" inspect --format '{{.State.ExitCode}}' "$container")"
[[ $status == 0 ]] || fail "SIGTERM ends it with status $status"

# The same image without podman.
if command -v umoci >/dev/null; then
  "$source/unet/serve/image/run_with_runc.sh" "$folder/image/oci" "$folder/model" "$port" 2>"$folder/errors" &
  runner=$!
  healthy
  kill "$runner"
  wait "$runner" || fail "runc's container ends with status $?: $(<"$folder/errors")"
fi
echo "image_test.sh: all as it should be"
