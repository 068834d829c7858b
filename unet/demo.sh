#!/usr/bin/env bash
# The whole of plume in one go: scenes, a shard, training, evaluation, pictures. demo.sh [DATA], from the project's root.
# Without DATA the scenes are drawn; DATA is a folder with tiles/, masks/ and, if it has one, split.csv (tile,split,...).
set -euo pipefail

data="${1:-}"
plume=build/bin/plume
out=demo

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
  echo "\$ $*"
  "$@"
}

# The 6 tiles of the test split whose masks have most to say: a PNG of an empty mask is the smallest. Nothing where the
# split has no test tiles or is written in a way that awk does not see through.
smokiest_test_tiles() {
  awk -F, '{ sub(/\r$/, "") }
           NR == 1 { for (i = 1; i <= NF; ++i) column[$i] = i; next }
           $column["split"] == "test" { print $column["tile"] }' "$1/split.csv" |
    while read -r tile; do echo "$1/masks/$tile".*; done | xargs -r -d '\n' ls -S | head -n 6 |
    while read -r mask; do echo "$1/tiles/$(basename "${mask%.*}")".*; done
}

pictures_of=()
mkdir -p "$out"
rm -rf "$out"/{scenes,unseen,run,pictures,tiles.h5}

if [[ -z $data ]]; then
  say "Drawing what a user would fetch from NOAA: a satellite's files, and the smoke that analysts saw in them"
  run "$plume" data synth --scenes 6 --seed 1 -o "$out/scenes"
  run "$plume" data synth --scenes 1 --seed 6 -o "$out/unseen"
  pictures_of=("$out/unseen/abi")

  say "Packing the files and polygons into one shard of tiles"
  run "$plume" data pack --abi "$out/scenes/abi" --hms "$out/scenes/hms" --max-sun-zenith 85 --seed 1 -o "$out/tiles.h5"
else
  if [[ -f $data/split.csv ]]; then mapfile -t pictures_of < <(smokiest_test_tiles "$data"); fi
  if [[ ${#pictures_of[@]} -eq 0 ]]; then pictures_of=("$data/tiles"); fi
  split=(--val 0.2 --test 0.1 --seed 1)
  if [[ -f $data/split.csv ]]; then split=(--split "$data/split.csv"); fi

  say "Packing the tiles and masks into one shard"
  run "$plume" data pack --tiles "$data/tiles" --masks "$data/masks" "${split[@]}" -o "$out/tiles.h5"
fi

say "Training a small U-Net"
run "$plume" train configs/demo.toml --set "data.shard=$out/tiles.h5" --out "$out/run"

say "Evaluating its best weights on tiles that it has not seen"
run "$plume" eval --model "$out/run/best.safetensors" --data "$out/tiles.h5" --split test

say "Finding smoke"
run "$plume" predict --model "$out/run/best.safetensors" --input "${pictures_of[@]}" --output "$out/pictures" --format tif,png

say "Done. The pictures, smoke painted over the satellite's image:"
find "$PWD/$out/pictures" -name '*.png' | sort
