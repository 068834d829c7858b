#!/usr/bin/env bash
# Packs plume-lambda as AWS Lambda takes it, for the runtime provided.al2023: package.sh PLUME_LAMBDA OUT.zip
# The same program gives the same bytes. Exit status: 2 usage, 4 the program is missing or needs shared libraries.
set -euo pipefail
if [[ $# -ne 2 ]]; then
  echo "usage: package.sh PLUME_LAMBDA OUT.zip" >&2
  exit 2
fi
program="$1" out="$(realpath "$2")"

fail() {
  echo "package.sh: $1" >&2
  exit 4
}
[[ -x $program ]] || fail "there is no program $program"
# Amazon Linux 2023 has glibc 2.34, older than where this was built: a program that needs none of it starts there.
if readelf -d "$program" | grep -q NEEDED; then fail "$program needs shared libraries; make lambda links it without"; fi

command -v python3 >/dev/null || fail "python3, which writes the archive, is missing: cmake/install_packages.sh test installs it"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
strip -o "$folder/bootstrap" "$program"
python3 - "$folder/bootstrap" "$out" <<'PYTHON'
import sys
import zipfile

entry = zipfile.ZipInfo("bootstrap")  # of 1980
entry.external_attr = 0o100755 << 16
entry.create_system = 3
with open(sys.argv[1], "rb") as program, zipfile.ZipFile(sys.argv[2], "w") as archive:
    archive.writestr(entry, program.read(), zipfile.ZIP_DEFLATED, 9)
PYTHON
