# shellcheck shell=bash
# What a training does as a Slurm job, whatever the site: it starts a rank for each task, judges how they ended, and goes
# back into the queue when the time limit cut it off. Sourced by a site's script with the arguments of `plume train`.
# The environment, from the site's script or sbatch's caller, where a value is not empty:
#   SRUN_MPI, SRUN_CPU_BIND   for srun --mpi and --cpu-bind; else the site's own
#   SRUN_FLAGS                more flags for srun, words without blanks in them
#   PLUME                     the program; else build/bin/plume
#   PLUME_IMAGE               an Apptainer image to run it in; PLUME is then a path in the image, else plume
set -uo pipefail

say() { printf 'job %s: %s\n' "$SLURM_JOB_ID" "$*" >&2; }

# A job that goes on after its time limit must find its folder again.
arguments=("$@")
out=""
for i in "${!arguments[@]}"; do
  case ${arguments[i]} in
    --out) out=${arguments[i + 1]-} ;;
    --out=*) out=${arguments[i]#--out=} ;;
  esac
done
if [[ -z $out ]]; then
  out=runs/$SLURM_JOB_ID
  arguments+=(--out "$out")
fi

program=("${PLUME:-build/bin/plume}")
if [[ -n ${PLUME_IMAGE:-} ]]; then
  program=(apptainer exec "$PLUME_IMAGE" "${PLUME:-plume}")
  # The host's driver goes into the container.
  [[ ! -e /dev/nvidiactl ]] || program=(apptainer exec --nv "$PLUME_IMAGE" "${PLUME:-plume}")
fi

# Since Slurm 22.05 srun does not take --cpus-per-task from its job.
if [[ -n ${SLURM_CPUS_PER_TASK:-} ]]; then
  export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$SLURM_CPUS_PER_TASK}
fi

# By default srun waits for ever where a rank is gone.
read -ra flags <<<"--kill-on-bad-exit=1 --wait=60 ${SRUN_FLAGS:-}"
[[ -z ${SRUN_MPI:-} ]] || flags+=(--mpi="$SRUN_MPI")
[[ -z ${SRUN_CPU_BIND:-} ]] || flags+=(--cpu-bind="$SRUN_CPU_BIND")
# What a training says of its end; of an earlier one that is of no account.
written() { stat -c %.Y "$out/run.json" 2>/dev/null; }
before=$(written)
says() { [[ $(written) != "$before" ]] && grep -qs "\"state\": \"$1\"" "$out/run.json"; }
srun "${flags[@]}" "${program[@]}" train "${arguments[@]}" --resume auto
code=$?

# Ranks that left with 85 a moment earlier may have had the others killed, whose code srun then gives; the record counts.
[[ $code == 0 ]] || ! says stopped || code=85

case $code in
  0)
    # An exit code passes through many hands; the record is written last, by a rank that has heard of all.
    if [[ " ${arguments[*]} " != *" --dry-run "* ]] && ! says finished; then
      say "srun ended with 0, but $out/run.json does not say that the training is finished"
      exit 4
    fi
    ;;
  85)
    if scontrol requeue "$SLURM_JOB_ID"; then
      sleep 60 # until Slurm ends this script
    else
      say "cannot be requeued; submit it again with --out $out, and it goes on from there"
    fi
    ;;
  *) say "failed with $code; what is saved in $out is whole: submit it again, and it goes on from there" ;;
esac
exit "$code"
