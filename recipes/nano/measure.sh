#!/bin/sh
# Every figure of the model card, from the root of the repository: sh recipes/nano/measure.sh [MODEL]
# The gate is expected to exit with 1 while a bar is missed.
set -u
model=${1:-nano}
out=recipes/nano/results
run() { name=$1; shift; echo "$name" >&2; pixelis "$@" --json > "$out/$name.json"; }
run worlds-test eval worlds --model "$model" --time-limit 600
run worlds-shift eval worlds --model "$model" --split shift --limit 300 --time-limit 600
run exam eval jsonl --data evaluation/exam/questions.jsonl --model "$model" --time-limit 600
run real eval jsonl --data evaluation/real/questions.jsonl --model "$model" --time-limit 600
run unknowable eval jsonl --data evaluation/unknowable/questions.jsonl --model "$model" --time-limit 600
run worlds-test-no_ops eval worlds --model "$model" --control no_ops --time-limit 600
run worlds-test-random_crop eval worlds --model "$model" --control random_crop --time-limit 600
run worlds-test-oracle eval worlds --control oracle --time-limit 600
run worlds-test-direct eval worlds --model nano-direct --time-limit 600
run gate train gate --model "$model"
run ask bench ask --model "$model"
pixelis bench batcher --model "$model" > "$out/batcher.json"
run recovery bench recovery --model "$model" --count 90
[ -d runs/nano-further/model ] && run gate-before-sft train gate --model hf:runs/nano-further/model
exit 0
