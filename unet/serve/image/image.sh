#!/usr/bin/env bash
# Makes an OCI image of plume-infer without a base image: image.sh PLUME_INFER TAG OUT
# OUT is made anew: context/ (what `docker build` takes, too), oci/ (the image, an OCI layout of that tag) and TAG.tar
# (the same for `docker load` and `podman load`). The same program gives the same bytes. Exit status: 2 usage, 4 a tool
# is missing.
set -euo pipefail
if [[ $# -ne 3 ]]; then
  echo "usage: image.sh PLUME_INFER TAG OUT" >&2
  exit 2
fi
program="$1" tag="$2" out="$3"
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../../.." && pwd)"

fail() {
  echo "image.sh: $2" >&2
  exit "$1"
}
for tool in buildah skopeo jq ldd; do
  command -v "$tool" >/dev/null || fail 4 "$tool is missing: cmake/install_packages.sh image installs it"
done
[[ -x $program ]] || fail 4 "there is no program $program"
[[ ! -e $out || -e $out/context ]] || fail 2 "$out is there and is no image of ours"

revision="$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)"
: "${SOURCE_DATE_EPOCH:=$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}"
version="$("$program" --version | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1)"
rm -rf "$out"
files="$out/context/rootfs"
mkdir -p "$files"/{usr/bin,usr/lib,usr/lib64,usr/share/sbom,etc/ssl/certs,opt/ml/model,tmp}
ln -s usr/lib "$files/lib"
ln -s usr/lib64 "$files/lib64"
ln -s usr/bin "$files/bin"
strip -o "$files/usr/bin/plume-infer" "$program"
echo 'plume:x:10001:10001::/tmp:/usr/bin/plume-infer' >"$files/etc/passwd"
echo 'plume:x:10001:' >"$files/etc/group"
chmod 1777 "$files/tmp"
certificates=/etc/ssl/certs/ca-certificates.crt
if [[ -e $certificates ]]; then cp -L "$certificates" "$files/etc/ssl/certs/"; fi
install -D -m 644 "$root/LICENSE" "$files/usr/share/doc/plume/LICENSE"

# owner FILE: the Debian package and version that a library is of. It may be recorded under /lib or under /usr/lib.
owner() {
  local path package
  for path in "$1" "$(readlink -f "$1")" "/usr$1" "${1#/usr}"; do
    package="$(dpkg-query -S "$path" 2>/dev/null | head -n 1)" && break
  done
  dpkg-query -W -f '${binary:Package} ${Version}\n' "${package%%: *}" 2>/dev/null | sed 's/:[a-z0-9]* / /'
}

# The libraries and the loader, each under the path that the loader looks at, with its package's licence.
packages=""
while read -r library; do
  install -D -m 755 "$(readlink -f "$library")" "$files/usr/${library#/usr}"
  read -r package package_version <<<"$(owner "$library")" || true
  if [[ -n $package ]]; then
    packages+="$package $package_version"$'\n'
    license="/usr/share/doc/$package/copyright"
    if [[ -e $license ]]; then install -D -m 644 "$license" "$files$license"; fi
  else
    packages+="$(basename "$library") unknown"$'\n'
  fi
done < <(ldd "$program" | grep -oE '/[^ ]+' | sort -u)

# What is inside, as SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3).
created="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"
packages="$(sort -u <<<"$packages" | grep .)"
jq -n --arg version "$version" --arg revision "$revision" --arg created "$created" --arg packages "$packages" '
  def id: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
  [$packages | split("\n")[] | split(" ") | {name: .[0], version: .[1]}] as $inside |
  {spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", name: "plume-infer-\($version)",
   documentNamespace: "https://spdx.org/spdxdocs/plume-infer-\($version)-\($revision)",
   creationInfo: {created: $created, creators: ["Tool: image.sh"]},
   packages: ([{SPDXID: "SPDXRef-plume", name: "plume-infer", versionInfo: $version, downloadLocation: "NOASSERTION"}] +
     [$inside[] | {SPDXID: .name | id, name, versionInfo: .version, downloadLocation: "NOASSERTION",
       externalRefs: [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
         referenceLocator: "pkg:deb/debian/\(.name | @uri)@\(.version | @uri)"}]}]),
   relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES",
       relatedSpdxElement: "SPDXRef-plume"}] +
     [$inside[] | {spdxElementId: "SPDXRef-plume", relationshipType: "DEPENDS_ON", relatedSpdxElement: .name | id}])}
' >"$files/usr/share/sbom/plume-infer.spdx.json"

cp "$here/Containerfile" "$out/context/"
store="$(mktemp -d)"
trap 'rm -rf "$store"' EXIT
buildah=(buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs)
"${buildah[@]}" build --quiet --isolation chroot --timestamp "$SOURCE_DATE_EPOCH" --format oci \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$created" \
  -t "$tag" "$out/context" >/dev/null
"${buildah[@]}" push --quiet "$tag" "oci:$out/oci:$tag" >/dev/null
skopeo copy --quiet "oci:$out/oci:$tag" "docker-archive:$out/${tag//[:\/]/-}.tar:$tag"

megabytes() { du -sb "$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }
echo "$out/oci: $tag, $(megabytes "$out/oci") packed, $(megabytes "$files") unpacked"
