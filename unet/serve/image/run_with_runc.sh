#!/usr/bin/env bash
# Runs an image of plume-infer where there is no podman and no docker: run_with_runc.sh OCI MODEL_FOLDER [PORT]
# OCI is image.sh's OUT/oci. umoci unpacks it into a temporary folder; runc runs it on a read-only root, without
# capabilities, in the host's network. SIGTERM and SIGINT end it as they end plume-infer. Exit status: the program's;
# 2 usage, 4 a tool is missing.
set -euo pipefail
if [[ $# -lt 2 || $# -gt 3 ]]; then
  echo "usage: run_with_runc.sh OCI MODEL_FOLDER [PORT]" >&2
  exit 2
fi
oci="$1" model="$(realpath "$2")" port="${3:-8080}"
for tool in umoci runc jq; do
  command -v "$tool" >/dev/null || {
    echo "run_with_runc.sh: $tool is missing: cmake/install_packages.sh image installs it" >&2
    exit 4
  }
done

folder="$(mktemp -d)"
name="plume-infer-$$"
runc=(runc --root "$folder/state")
trap '"${runc[@]}" delete --force "$name" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
tag="$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$oci/index.json")"
cp -r "$oci" "$folder/image" # umoci takes no tag with a colon
jq '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "image"' "$oci/index.json" >"$folder/image/index.json"
umoci unpack --image "$folder/image:image" "$folder/bundle" 2>/dev/null
echo "run_with_runc.sh: $tag on port $port" >&2
jq --arg model "$model" --arg port "SAGEMAKER_BIND_TO_PORT=$port" '
  .process.terminal = false | .process.noNewPrivileges = true | .process.capabilities = {} | .process.env += [$port] |
  del(.process.rlimits) | .root.readonly = true | del(.linux.resources) |
  .linux.namespaces |= map(select(.type != "network")) |
  .mounts += [{destination: "/opt/ml/model", type: "bind", source: $model, options: ["rbind", "ro"]}]
' "$folder/bundle/config.json" >"$folder/config.json"
mv "$folder/config.json" "$folder/bundle/"
"${runc[@]}" run --bundle "$folder/bundle" "$name" &
program=$!
signalled=0
trap 'signalled=1; "${runc[@]}" kill "$name" TERM 2>/dev/null || true' TERM INT
status=0
wait "$program" || status=$?
# A signal to this script ends a wait early, with a status that is not the program's; that may have ended meanwhile.
while ((signalled && status > 128)); do
  signalled=0
  status=0
  wait "$program" || status=$?
done
exit "$status"
