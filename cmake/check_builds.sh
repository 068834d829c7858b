#!/usr/bin/env bash
# Checks the builds that this machine's own is not: without CUDA and NCCL, with CUDA 12, and for aarch64. Compiles objects only.
#   cmake/check_builds.sh [FOLDER]     FOLDER for what is built; default: a temporary one
# What a check needs is taken from PATH and the environment; a check without it is skipped, with a line that says so:
#   CUDA12_ROOT   a CUDA 12 toolkit (default: /usr/local/cuda-12*); with headers alone, the host sources are checked
#   nvcc, aarch64-linux-gnu-g++ (Debian: g++-aarch64-linux-gnu)
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-$(mktemp -d)}
[[ $# -gt 0 ]] || trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/headers"
ln -sfn "$PWD/kernels" "$folder/headers/kernels"
jobs=$(nproc)
failures=0

say() { printf '%-10s %s\n' "$1" "$2"; }
pass() { say ok "$1"; }
skip() { say skipped "$1"; }
fail() {
  say FAILED "$1"
  failures=$((failures + 1))
}

# check NAME COMMAND...: the command's output is shown only where it fails.
check() {
  local name=$1 log
  shift
  if log=$("$@" 2>&1); then
    pass "$name"
  else
    fail "$name"
    tail -n 40 <<<"$log"
  fi
}

# compile COMMAND... -- FILES...: one object for each file, in parallel.
compile() {
  local command=()
  while [[ $1 != -- ]]; do
    command+=("$1")
    shift
  done
  shift
  printf '%s\0' "$@" | xargs -0 -P "$jobs" -I {} bash -c \
    'file=$1 folder=$2; shift 2; "$@" -c "$file" -o "$folder/$(tr / _ <<<"$file").o"' _ {} "$folder" "${command[@]}"
}

# Sources by suffix; those of the CUDA backend that stand in for something absent compile like all others.
sources() { git ls-files "$@"; }
warnings=(-std=c++20 -Wall -Wextra -Wconversion -Werror)
# The libraries opened at run time have no folder here.
defines=('-DPLUME_CUDNN_FOLDER=""' '-DPLUME_CUBLASLT_FOLDER=""')
own=(-I "$folder/headers" -I kernels/cuda/nvcc)

without_cuda() {
  cmake -S . -B "$folder/off" -DPLUME_CUDA=OFF -DPLUME_NCCL_INCLUDE_DIR= -DPLUME_TESTS=OFF -DPLUME_BENCH=OFF \
    >"$folder/off.log" &&
    cmake --build "$folder/off" -j "$jobs" --target plume_no_cuda plume_dist
}

# PLUME_CUDA=ON that cannot be met ends the configuration, and says what to do.
demanded_but_absent() {
  local output
  if output=$(cmake -S . -B "$folder/on" -DPLUME_CUDA=ON -DCMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=ON 2>&1); then
    echo "configured without CUDA although it was demanded"
    return 1
  fi
  tr '\n' ' ' <<<"$output" | tr -s ' ' | grep -q "PLUME_CUDA=ON, but no CUDA Toolkit 12 or newer was found"
}

host_sources_with() {  # $1: a CUDA 12 include folder
  local files=() file
  for file in $(sources 'kernels/cuda/*.cpp'); do
    # cuDNN's and cuBLASLt's headers come in packages of their own.
    [[ $file == */cudnn/* && ! -e $1/cudnn_graph.h ]] && continue
    [[ $file == */cublaslt/* && ! -e $1/cublasLt.h ]] && continue
    [[ $file == */nvtx.cpp && ! -e $1/nvtx3/nvToolsExt.h ]] && continue
    files+=("$file")
  done
  compile g++ "${warnings[@]}" "${defines[@]}" "${own[@]}" -isystem "$1" -- "${files[@]}"
}

with_cuda12() {  # $1: a CUDA 12 toolkit
  cmake -S . -B "$folder/cuda12" -DPLUME_CUDA=ON -DCUDAToolkit_ROOT="$1" -DPLUME_TESTS=OFF -DPLUME_BENCH=OFF &&
    cmake --build "$folder/cuda12" -j "$jobs" --target plume_cuda
}

# Header-only libraries and the toolkit's headers do not depend on the machine: they are taken after the target's own.
for_aarch64_on_the_cpu() {
  compile aarch64-linux-gnu-g++ "${warnings[@]}" -fopenmp "${own[@]}" -idirafter /usr/include -- \
    $(sources 'kernels/base/*.cpp' 'kernels/cpu/*.cpp' | grep -vE 'isa/avx')
}

for_aarch64_with_cuda() {
  local include
  include=$(dirname "$(dirname "$(command -v nvcc)")")/include
  compile aarch64-linux-gnu-g++ "${warnings[@]}" "${defines[@]}" "${own[@]}" -isystem "$include" \
    -idirafter /usr/include -- $(sources 'kernels/cuda/*.cpp') &&
    compile nvcc -ccbin aarch64-linux-gnu-g++ -std=c++20 -arch=sm_90 --expt-relaxed-constexpr "${own[@]}" \
      -isystem "$include" -Xcompiler=-idirafter,/usr/include -- $(sources 'kernels/cuda/*.cu')
}

check "PLUME_CUDA=OFF builds, without NCCL too" without_cuda
check "PLUME_CUDA=ON without CUDA stops at configure" demanded_but_absent

cuda12=${CUDA12_ROOT:-$(printf '%s\n' /usr/local/cuda-12* | tail -n 1)}
if [[ -x $cuda12/bin/nvcc ]]; then
  check "CUDA 12 ($cuda12)" with_cuda12 "$cuda12"
elif [[ -e $cuda12/include/cuda_runtime.h ]]; then
  check "CUDA 12, host sources ($cuda12 has no nvcc)" host_sources_with "$cuda12/include"
else
  skip "CUDA 12: no toolkit; CUDA12_ROOT names one"
fi

if ! command -v aarch64-linux-gnu-g++ >/dev/null; then
  skip "aarch64: no aarch64-linux-gnu-g++"
else
  check "aarch64 on the CPU" for_aarch64_on_the_cpu
  if command -v nvcc >/dev/null; then
    check "aarch64 with CUDA" for_aarch64_with_cuda
  else
    skip "aarch64 with CUDA: no nvcc"
  fi
fi

exit $((failures > 0))
