#!/bin/sh
# sh recipes/efficiency/run.sh EPISODES MODEL [STEPS]
set -eu
episodes=$1
model=$2
steps=${3:-400}
out=runs/efficiency
pixelis data split "$episodes" --out "$out/parts" --shares a=0.1,b=0.15,c=0.25,d=0.5
learn() {
  share=$1; shift
  pixelis train sft --data "$@" --model "$model" --out "$out/$share" --steps "$steps" --held-out 0 --eval-every 0
  pixelis eval worlds --limit 300 --model "hf:$out/$share/model" --out "$out/eval-$share" --json > "$out/$share.json"
}
learn 10 "$out/parts/a"
learn 25 "$out/parts/a" "$out/parts/b"
learn 50 "$out/parts/a" "$out/parts/b" "$out/parts/c"
learn 100 "$out/parts/a" "$out/parts/b" "$out/parts/c" "$out/parts/d"
for pair in 25:10 50:25 100:50; do
  echo "${pair%:*} % against ${pair#*:} %"
  pixelis eval compare "$out/eval-${pair%:*}" "$out/eval-${pair#*:}"
done
