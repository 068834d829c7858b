#!/usr/bin/env bash
# Installs what is missing of the packages in packages.txt, for the purposes given: install_packages.sh build [test] [develop]
# Exit 4, with the exact apt-get line, where packages are missing and this user may not install them, or says not to
# with PLUME_NO_INSTALL=1. Where only optional ones (purpose with '?') are missing, it says so and exits with 0.
set -euo pipefail
export LC_ALL=C

# listed PURPOSES: the names on the lines of packages.txt whose purpose matches this pattern.
listed() {
  awk -v purpose="^($1)\$" '$1 ~ purpose { print $2 }' "$(dirname "$0")/packages.txt" | sort -u
}

# These read names, one a line, and print those that are installed, or that this release can install.
installed() {
  xargs -r dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort -u
}
installable() {
  xargs -r apt-cache madison 2>/dev/null | awk '{ print $1 }' | sort -u
}

# without A B: the lines of A that are not in B.
without() { comm -23 <(printf '%s' "$1") <(printf '%s' "$2"); }

stop() {
  local line="${as_root:+$as_root }apt-get install --no-install-recommends $(echo $missing)"
  if [[ -z $(without "$missing" "$optional") ]]; then
    printf '%s\n' "Going on without optional packages ($1); what needs them is skipped. To install them:" "  $line"
    exit 0
  fi
  printf '%s\n' "plume needs packages that are not installed, and $1. Install them and run make again:" "  $line" >&2
  exit 4
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "No apt-get here, so packages are not checked (cmake/packages.txt names them); CMake says what it misses."
  exit 0
fi

purposes="$(IFS='|' && echo "$*")"
needed="$(listed "($purposes)[?]?")"
optional="$(listed "($purposes)[?]")"
missing="$(without "$needed" "$(installed <<<"$needed")")"
[[ -n $missing ]] || exit 0

# leave_out_absent: drops optional packages that this release does not have.
leave_out_absent() {
  local absent
  absent="$(comm -12 <(without "$missing" "$(installable <<<"$missing")") <(printf '%s' "$optional"))"
  [[ -n $absent ]] || return 0
  echo "This release does not have $(echo $absent); what needs them is skipped."
  missing="$(without "$missing" "$absent")"
  [[ -n $missing ]] || exit 0
}
# Package lists that know one of the needed packages are there; a fresh image has none before its first update.
if [[ -n $(installable <<<"$needed") ]]; then leave_out_absent; fi

as_root=""
[[ $(id -u) -eq 0 ]] || as_root=sudo
[[ ${PLUME_NO_INSTALL:-0} != 1 ]] || stop "PLUME_NO_INSTALL=1 forbids installing them"
if [[ -n $as_root ]]; then
  command -v sudo >/dev/null || stop "this user is not root and there is no sudo"
  # sudo may ask for a password only where somebody can answer.
  [[ -t 0 ]] || sudo -n true 2>/dev/null || stop "sudo asks for a password but there is no terminal to give it"
fi
apt_get() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

echo "Installing" $missing
# One dead third-party source fails the update and does no harm to the rest.
apt_get update || echo "apt-get update failed; going on with the package lists that are here." >&2
leave_out_absent
absent="$(without "$missing" "$(installable <<<"$missing")")"
[[ -z $absent ]] || stop "apt-get does not know $(echo $absent) (plume is made for Debian 12, Ubuntu 24.04 and newer)"
apt_get install -y --no-install-recommends $missing || stop "apt-get failed to install them"
