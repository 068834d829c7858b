#!/usr/bin/env bash
# What `make lambda` makes: it needs nothing of the system that it starts on. lambda_package_test.sh SOURCE [PROGRAM]
# Builds plume-lambda as the preset does, unless PROGRAM is one that is built; packs it; and tests it where nothing else is.
set -euo pipefail
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$source"

program=${2:-}
if [[ -z $program ]]; then
  cmake --preset lambda -B "$folder/build" >"$folder/log" || { tail -n 20 "$folder/log"; exit 1; }
  cmake --build "$folder/build" -j "$(nproc)" --target plume-lambda >"$folder/log" || { tail -n 40 "$folder/log"; exit 1; }
  program=$folder/build/bin/plume-lambda
fi
cloud/lambda/package.sh "$program" "$folder/one.zip"
cloud/lambda/package.sh "$program" "$folder/two.zip"
cmp "$folder/one.zip" "$folder/two.zip"
(cd "$folder" && cmake -E tar xf one.zip)
echo "$(stat -c %s "$folder/one.zip") bytes packed, $(stat -c %s "$folder/bootstrap") bytes"
[[ $(stat -c %A "$folder/bootstrap") == -rwxr-xr-x ]] || { echo "bootstrap cannot be run"; exit 1; }

# Amazon Linux 2023 has glibc 2.34.
newest=$(readelf --version-info --wide "$folder/bootstrap" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1 || true)
if [[ -n $newest && $(printf '%s\nGLIBC_2.34\n' "$newest" | sort -V | tail -n 1) != GLIBC_2.34 ]]; then
  echo "it needs $newest; Amazon Linux 2023 has 2.34"
  exit 1
fi
if readelf --dynamic --wide "$folder/bootstrap" | grep NEEDED; then
  echo "it needs shared libraries"
  exit 1
fi
if readelf --program-headers --wide "$folder/bootstrap" | grep INTERP; then
  echo "it needs a loader"
  exit 1
fi
exec /usr/bin/python3 -B tests/cloud/lambda_test.py "$folder/bootstrap" --alone
