#!/bin/sh
# sh recipes/sensitivity/run.sh EPISODES MODEL [STEPS]
set -eu
episodes=$1
model=$2
steps=${3:-200}
out=runs/sensitivity
for lr in 5e-5 1e-4 2e-4; do
  for batch in 4 8; do
    name=lr-$lr-batch-$batch
    pixelis train sft --data "$episodes" --model "$model" --out "$out/$name" --steps "$steps" --lr "$lr" --batch "$batch" --held-out 0 --eval-every 0
    pixelis eval worlds --split calibration --limit 200 --model "hf:$out/$name/model" --out "$out/eval-$name" --json > "$out/$name.json"
    python -c "import json, sys; s = json.load(open(sys.argv[1])); print(sys.argv[2], round(s['accuracy'], 3), [round(x, 3) for x in s['ci95']])" "$out/$name.json" "$name"
  done
done
