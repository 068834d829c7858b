#!/usr/bin/env bash
# Installs what is missing of the packages in packages.txt, for the purposes given: install_packages.sh build [test] [develop]
# Exit 4, with the exact apt-get line, where packages are missing and this user may not install them, or says not to
# with PLUME_NO_INSTALL=1.
set -euo pipefail
export LC_ALL=C

# packages PURPOSES: the names on the lines of packages.txt whose purpose matches this pattern.
packages() {
  awk -v purpose="^($1)\$" '$1 ~ purpose { print $2 }' "$(dirname "$0")/packages.txt" | sort -u
}

installed() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u
}

stop() {
  printf '%s\n' "plume needs packages that are not installed, and $1. Install them and run make again:" \
    "  ${as_root:+$as_root }apt-get install --no-install-recommends ${needed[*]}" >&2
  exit 4
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "No apt-get here, so packages are not checked (cmake/packages.txt names them); CMake says what it misses."
  exit 0
fi

purposes="$(IFS='|' && echo "$*")"
mapfile -t listed < <(packages "($purposes)[?]?")
mapfile -t needed < <(comm -13 <(installed "${listed[@]}") <(printf '%s\n' "${listed[@]}"))
[[ ${#needed[@]} -gt 0 ]] || exit 0

as_root=""
[[ $(id -u) -eq 0 ]] || as_root=sudo
[[ ${PLUME_NO_INSTALL:-0} != 1 ]] || stop "PLUME_NO_INSTALL=1 forbids installing them"
if [[ -n $as_root ]]; then
  command -v sudo >/dev/null || stop "this user is not root and there is no sudo"
  # sudo may ask for a password only where somebody can answer.
  [[ -t 0 ]] || sudo -n true 2>/dev/null || stop "sudo asks for a password but there is no terminal to give it"
fi
apt_get() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

echo "Installing ${needed[*]}"
# One dead third-party source fails the update and does no harm to the rest.
apt_get update || echo "apt-get update failed; going on with the package lists that are here." >&2

# An optional package (purpose with '?') that this release does not have is left out.
mapfile -t optional < <(packages "($purposes)[?]")
mapfile -t absent < <(for package in $(comm -12 <(printf '%s\n' "${needed[@]}") <(printf '%s\n' "${optional[@]}")); do
  apt-cache show "$package" >/dev/null 2>&1 || echo "$package"
done)
if [[ ${#absent[@]} -gt 0 ]]; then
  echo "This release does not have ${absent[*]}; what needs them is skipped."
  mapfile -t needed < <(comm -23 <(printf '%s\n' "${needed[@]}") <(printf '%s\n' "${absent[@]}"))
  [[ ${#needed[@]} -gt 0 ]] || exit 0
fi
apt_get install -y --no-install-recommends "${needed[@]}" || stop "apt-get failed to install them"
