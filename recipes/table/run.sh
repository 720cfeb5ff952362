#!/bin/sh
# Every figure of docs/results.md, from the root of the repository: sh recipes/table/run.sh [MODEL TWIN]
set -eu
model=${1:-nano}
twin=${2:-nano-direct}
out=recipes/table/results
mkdir -p "$out"
pixelis eval freeze "nano-sft=$model" "nano-direct=$twin"
git diff --quiet src/pixelis/evals/exams.json || { echo "exams.json changed: commit it, then run this again" >&2; exit 1; }
table() { name=$1; shift; pixelis eval "$@" --model "$model" --twin "$twin" --time-limit 600 --out "runs/table/$name" --json > "$out/$name.json"; }
table worlds-test worlds --controls all
table worlds-shift worlds --split shift --controls all
table worlds-seeds worlds --limit 300 --temperature 0.7 --seeds 0,1,2
pixelis eval worlds --limit 300 --temperature 0.7 --seeds 0,1,2 --model "$twin" --time-limit 600 --out runs/table/worlds-seeds-direct --json > "$out/worlds-seeds-direct.json"
table exam jsonl --data evaluation/exam/questions.jsonl --controls none,no_ops,random_crop,twin
table real jsonl --data evaluation/real/questions.jsonl --controls none,no_ops,random_crop,twin
pixelis eval ops --limit 100 --json > "$out/ops.json"
pixelis eval page "$out"/worlds-*.json "$out/exam.json" "$out/real.json" --out docs/results.md
