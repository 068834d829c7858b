#!/usr/bin/env bash
# Makes a virtual environment with the packages of python_peers.txt: install_peers.sh FOLDER
# Where it cannot be made, which takes PyPI, it says so in a line and exits with 0: tests that need it are then skipped.
set -euo pipefail
folder="$1"
list="$(dirname "$0")/python_peers.txt"
cmp -s "$list" "$folder/installed.txt" && exit 0

rm -rf "$folder"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if /usr/bin/python3 -m venv "$folder" >"$log" 2>&1 &&
  "$folder/bin/pip" install --quiet --disable-pip-version-check --timeout 20 --retries 1 -r "$list" >"$log" 2>&1; then
  cp "$list" "$folder/installed.txt"
else
  rm -rf "$folder"
  echo "Going on without $(grep -vc '^#' "$list") packages from PyPI ($(tail -n 1 "$log")); tests that need them are skipped."
fi
