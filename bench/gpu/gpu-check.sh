#!/usr/bin/env bash
# Tests and measures plume on this machine's first GPU (NCCL on all of them), beside PyTorch where that is installed:
# gpu-check.sh [--fresh] [STEP...]
#
# Needs an NVIDIA driver; uses cuDNN 9, cuBLASLt, NCCL, compute-sanitizer, ncu and PyTorch where they are. Takes less than 16 minutes,
# each step has a limit of its own. Results go to results/ in this folder: the table in table.md, everything in results.json.
# A step that succeeded leaves a stamp and is not run again until --fresh. With names of steps (below) only those run, so that a short
# loan of a machine can be shared out. Exit status: 0 all well, 1 a step failed or a test did, 2 usage, 4 no GPU.
set -u
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)" || exit 1
out="$here/results"
failed=0

fresh=0
if [[ ${1:-} == --fresh ]]; then
  fresh=1
  shift
fi
chosen=("$@")
known=" tests network_tests nccl_tests steps torch_training layers_own layers_cudnn profile memcheck racecheck torch_inference "
for name in "$@"; do
  if [[ $known != *" $name "* ]]; then
    echo "usage: gpu-check.sh [--fresh] [STEP...], of the steps$known" >&2
    exit 2
  fi
done

# PyTorch's own cuDNN and cuBLAS serve where the machine has no others.
torch_libraries() {
  python3 - 2>/dev/null <<'PYTHON'
import glob, os, site, sysconfig
roots = {*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_paths()["purelib"]}
print(":".join(d for r in sorted(roots) for d in glob.glob(os.path.join(r, "nvidia", "*", "lib"))))
PYTHON
}
libraries="$here/lib:${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(torch_libraries)"

# ours PROGRAM ARGUMENTS...: one of the folder's programs, with the folder's libraries.
ours() {
  local program="$1"
  shift
  LD_LIBRARY_PATH="$libraries" "$here/bin/$program" "$@"
}
export -f ours
export here libraries out

# Says in a line what is missing, where something is.
ours gpu_bench --benchmark_list_tests >/dev/null || exit 4

mkdir -p "$out" || exit 1
if ((fresh)); then rm -f "$out"/*; fi

# step NAME SECONDS COMMAND: runs a line of bash with a limit, unless its stamp is there or others were chosen; keeps what it says
# in NAME.log.
step() {
  local name="$1" limit="$2" command="$3" start status
  if ((${#chosen[@]})) && [[ " ${chosen[*]} " != *" $name "* ]]; then return; fi
  if [[ -e $out/$name.done ]]; then
    echo "$name: done before ($(<"$out/$name.done"))"
    return
  fi
  start=$SECONDS
  timeout --kill-after=5 "$limit" bash -uc "$command" >"$out/$name.log" 2>&1
  status=$?
  case $status in
    0) echo "$((SECONDS - start)) s" >"$out/$name.done" && echo "$name: ok, $((SECONDS - start)) s" ;;
    4 | 77) echo "$name: left out: $(tail -n 1 "$out/$name.log")" ;;
    124 | 137)
      echo "$name: stopped after $limit s; what it found by then counts"
      if [[ $name == *tests ]]; then failed=1; fi
      ;;
    *) echo "$name: FAILED with status $status, see results/$name.log" && failed=1 ;;
  esac
}

# Steps call this and the next in shells of their own: test_cuda under a tool of compute-sanitizer, which slows kernels a
# hundredfold, so that the largest shapes are left out.
# shellcheck disable=SC2317
sanitize() {
  if ! command -v compute-sanitizer >/dev/null; then
    echo "compute-sanitizer is not installed"
    return 77
  fi
  local options=()
  if [[ $1 == memcheck ]]; then options=(--report-api-errors no); fi  # a test provokes some
  LD_LIBRARY_PATH="$libraries" compute-sanitizer --tool "$1" "${options[@]}" --error-exitcode 1 --launch-timeout 60 \
    "$here/bin/test_cuda" --gtest_filter='-*Many*:*Library*:*Plan*' --gtest_brief=1
}
export -f sanitize

# shellcheck disable=SC2317
torch_peer() {
  if ! python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    echo "python3 has no torch that sees the GPU"
    return 77
  fi
  python3 "$here/gpu_torch.py" --work "$1" --seconds "$2" --out "$out/torch_$1.json"
}
export -f torch_peer

# How long each kernel of a step takes, in profile.csv; the last launches are those of the recorded step.
# shellcheck disable=SC2317
profile() {
  if ! command -v ncu >/dev/null; then
    echo "Nsight Compute (ncu) is not installed"
    return 77
  fi
  LD_LIBRARY_PATH="$libraries" ncu --clock-control none --graph-profiling node --metrics gpu__time_duration.sum --csv \
    --log-file "$out/profile.csv" "$here/bin/gpu_bench" --quick --bases=64 --benchmark_filter='^train/'
}
export -f profile

# One rank, and one on each GPU where there are several: start, sums, a recorded step with sums inside, a peer that is killed.
# shellcheck disable=SC2317
nccl_tests() {
  local status=0
  ours test_nccl_cuda --gtest_output="json:$out/nccl_tests.json" || status=$?
  if ((status == 0)) && ! grep -q COMPLETED "$out/nccl_tests.json"; then
    echo "NCCL (libnccl.so.2) cannot be opened here"
    return 77
  fi
  return "$status"
}
export -f nccl_tests

bench='--benchmark_out_format=json --benchmark_format=console'
step tests 60 "ours test_cuda --gtest_brief=1 --gtest_output=json:$out/tests.json"
step network_tests 30 "ours test_unet_cuda --gtest_brief=1 --gtest_output=json:$out/network_tests.json"
step nccl_tests 45 "nccl_tests"
step steps 70 "ours gpu_bench $bench --benchmark_filter='train|infer|latency' --benchmark_out=$out/steps.json"
step torch_training 150 "torch_peer training 130"
step layers_own 25 "PLUME_CONVOLUTION=own ours gpu_bench $bench --benchmark_filter='-train|infer|latency' \
  --benchmark_out=$out/layers_own.json"
step layers_cudnn 40 "PLUME_CONVOLUTION=cudnn ours gpu_bench $bench --benchmark_filter=convolution \
  --benchmark_out=$out/layers_cudnn.json"
step profile 30 "profile"
step memcheck 120 "sanitize memcheck"
step racecheck 120 "sanitize racecheck"
# Tuning takes some seconds for each convolution.
step torch_inference 240 "torch_peer inference 200"

if python3 "$here/gpu_table.py" "$out"; then
  exit "$failed"
fi
echo "gpu-check.sh: no table: python3 is missing or failed; the figures are in $out" >&2
exit 1
