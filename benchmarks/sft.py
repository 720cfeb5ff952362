"""Fine-tuning beside plain TRL on the same episodes: samples a second, memory, and packing's gain.

Each way runs in a process of its own, one after the other, on the same weights, data and threads,
in fp32 on a CPU. Plain TRL is SFTTrainer with its own vision collator on the same conversations:
it trains on every token, knows no schemas and cannot pack pictures, so its loss is another one;
compared are speed and memory. The first two steps of each way are not counted. On a busy machine
look at samples per second of processor time: what others take is not in it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WAYS = ("trl", "padded", "packed")
WARM = 2


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help="run this one here (used by the script itself)")
    args = parser.parse_args()
    if args.steps <= WARM:
        parser.error(f"--steps {args.steps}: the first {WARM} are not counted; give more")
    return args


class Clock:
    """When each step ended, on the wall and in processor time."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def __call__(self, row: dict[str, Any] | None = None) -> None:
        if row is None or "loss" in row:
            self.ends.append((time.perf_counter(), time.process_time()))

    def seconds(self) -> tuple[float, float]:
        """Of one step, the first ones left out: on the wall, of the processors."""
        counted = len(self.ends) - WARM
        first, last = self.ends[WARM - 1], self.ends[-1]
        return (last[0] - first[0]) / counted, (last[1] - first[1]) / counted


def prepared(args: argparse.Namespace, out: str) -> Any:
    from pixelis.training.settings import TuneConfig
    from pixelis.training.tune import prepare

    config = TuneConfig(
        data=[args.data],
        model=args.model,
        out=Path(out),
        method="full",
        steps=args.steps,
        batch=args.batch,
        packing=args.way == "packed",
        threads=args.threads,
        precision="fp32",
        device="cpu",
        held_out=0,
        eval_every=0,
        sample_every=0,
        save_every=10**6,
        skip_long=True,
    )
    return prepare(config)


def ours(args: argparse.Namespace, out: str) -> tuple[tuple[float, float], float]:
    from pixelis.training.session import memory_in_use
    from pixelis.training.tune import tune

    tuning, clock = prepared(args, out), Clock()
    tune(tuning, clock)
    return clock.seconds(), memory_in_use()


def plain(args: argparse.Namespace, out: str) -> tuple[tuple[float, float], float]:
    """TRL as it comes: conversations with pictures, its collator, nothing of ours but the data."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from pixelis.training.session import memory_in_use

    tuning, clock = prepared(args, out), Clock()
    chosen = [index for step in range(args.steps) for index in tuning.order.at(step)]
    rows = [conversation(talk) for talk in tuning.stock.talks(tuning.collator, chosen)]

    class Tick(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock()

    trainer = SFTTrainer(
        model=tuning.policy.model.float(),
        args=SFTConfig(
            output_dir=out,
            max_steps=args.steps,
            per_device_train_batch_size=args.batch,
            learning_rate=2e-5,
            max_length=None,
            bf16=False,
            use_cpu=True,
            activation_checkpointing=False,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tuning.policy.processor,
        callbacks=[Tick()],
    )
    trainer.train()
    return clock.seconds(), memory_in_use()


def conversation(talk: Any) -> dict[str, Any]:
    """Messages in the shape TRL takes: every content a list of parts, tools' turns as a user's."""
    messages = []
    for message in talk.messages:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        told = [{"type": part["type"], "text": part.get("text")} for part in parts]
        role = "user" if message["role"] == "tool" else message["role"]
        messages.append({"role": role, "content": told})
    return {"messages": messages, "images": list(talk.images)}


def run_here(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as out:
        (wall, busy), memory = (plain if args.way == "trl" else ours)(args, out)
    rates = {"samples_s": args.batch / wall, "samples_cpu_s": args.batch / busy}
    print("RESULT " + json.dumps({**rates, "memory": memory}))


def main() -> int:
    args = parse()
    if args.way:
        run_here(args)
        return 0
    found = {}
    for way in WAYS:
        command = [sys.executable, __file__, "--way", way, *sys.argv[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            last = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            print(f"{way:<8} failed: {last[-1][:300]}")
            continue
        found[way] = json.loads(lines[0].removeprefix("RESULT "))
    base = found.get("trl")
    print(f"{'way':<8} {'samples/s':>10} {'a CPU second':>13} {'memory':>10} {'against TRL':>12}")
    for way, one in found.items():
        against = f"{one['samples_cpu_s'] / base['samples_cpu_s']:.2f}" if base else "-"
        memory = f"{one['memory'] / 2**20:,.0f} MiB"
        rates = f"{one['samples_s']:>10.2f} {one['samples_cpu_s']:>13.2f}"
        print(f"{way:<8} {rates} {memory:>10} {against:>12}")
    return 0 if len(found) == len(WAYS) else 1


if __name__ == "__main__":
    sys.exit(main())
