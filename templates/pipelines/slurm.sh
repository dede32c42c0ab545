#!/bin/bash
# One array task per experiment folder; each makes its report, the last step makes the index.
#   find experiments -name experiment.yaml -printf '%h\n' | sort > experiments.txt
#   sbatch --array=1-$(wc -l < experiments.txt) slurm.sh experiments.txt reports
#   then, when all are done: kit index reports
#SBATCH --job-name=kit
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=00:30:00
#SBATCH --output=kit-%A-%a.log
set -euo pipefail

list=${1:?name the file that lists the experiment folders}
out=${2:?name the folder of reports}
folder=$(sed -n "${SLURM_ARRAY_TASK_ID:?run this with sbatch --array}p" "$list")
[ -n "$folder" ] || { echo "line $SLURM_ARRAY_TASK_ID of $list is empty"; exit 2; }

name=$(basename "$folder")
made=$out/.runs/$name # a folder of its own, as one folder takes one run at a time
rm -rf "$made"
mkdir -p "$out"
status=0
kit run "$folder" --out "$made" --workers "${SLURM_CPUS_PER_TASK:-1}" --json || status=$?
if [ -d "$made/$name" ]; then
    rm -rf "${out:?}/$name"
    mv "$made/$name" "$out/$name"
fi
rm -rf "$made"
exit "$status"
