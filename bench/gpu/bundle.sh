#!/usr/bin/env bash
# Makes the folder that carries tests and benchmarks to a machine with a GPU: bundle.sh BUILD_FOLDER OUT
# It holds the programs and every library of theirs that is no part of the C library or of NVIDIA's driver; cuDNN,
# cuBLASLt and NCCL are the other machine's. Fails where a program would need more than that, or the folder is too big.
set -euo pipefail
build="$1" out="$2"
root="$(cd "$(dirname "$0")/../.." && pwd)"
programs=(test_cuda test_unet_cuda test_nccl_cuda gpu_bench)
most_megabytes=60

# fail STATUS MESSAGE: leaves no half folder.
fail() {
  echo "bundle.sh: $2" >&2
  rm -rf "$out"
  exit "$1"
}

if [[ -e $out && ! -e $out/gpu-check.sh ]]; then
  echo "bundle.sh: $out is there and is no bundle" >&2
  exit 2
fi
for program in "${programs[@]}"; do
  if [[ ! -x $build/bin/$program ]]; then
    fail 4 "there is no $build/bin/$program: CUDA was not built (see what cmake says of it)"
  fi
done

rm -rf "$out"
mkdir -p "$out/bin" "$out/lib"
cp "$root"/bench/gpu/{gpu-check.sh,gpu_table.py} "$root/bench/peers/gpu_torch.py" "$root/tests/parity/torch_unet.py" "$out"
for program in "${programs[@]}"; do
  strip -o "$out/bin/$program" "$build/bin/$program"
done
git -C "$root" describe --always --dirty >"$out/COMMIT" 2>/dev/null || rm "$out/COMMIT"  # no repository

needed="$(ldd "$out"/bin/* | awk '$2 == "=>" { print $3 }' | sort -u)"
if unwanted="$(grep -E '/lib(mpi|netcdf|hdf5|gdal|curl|cudnn|cublas|nccl|cudart)' <<<"$needed")"; then
  fail 1 "a program needs ${unwanted//$'\n'/ }"
fi
grep -v -E '/(libc|libm|libdl|librt|libpthread|libcuda)\.so' <<<"$needed" | xargs -r cp -L -t "$out/lib"

size="$(du -sm "$out" | cut -f 1)"
if ((size >= most_megabytes)); then
  fail 1 "$out would take $size MB, more than $most_megabytes"
fi
echo "$out: $size MB; copy it to a machine with a GPU and run gpu-check.sh there"
