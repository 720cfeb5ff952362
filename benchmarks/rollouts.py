"""Rollouts: our generation step beside TRL's own `environment_factory` loop, in one run.

Same model, questions, operations, pictures, temperature, limit of turns and threads; both go from a
prompt to the tensors of the loss. Each way plays the same batches, one after the other in turn, so
that what else the machine does falls on both; the first round is not counted. Processor time is
told beside the clock: what others take is not in it. `think` is the share of time inside the
model's generate, `act` inside operations.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FAMILIES = ("attribute_recognition", "object_counting", "geometric_comparison", "spatial_reasoning")
TURNS = 6


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--exact", action="store_true", help="ours in exact mode")
    return parser.parse_args()


class Spent:
    """Time by what it went to, on the wall; threads that work at once count each."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started

    def wrap(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.on(name):
                return work(*args, **kwargs)

        return timed


# TRL's own loop -----------------------------------------------------------------------------------
class World:
    """One rollout's workspace; its public methods are the tools TRL shows and calls."""

    questions: list[Any]
    profile: Any
    spent: Spent

    def reset(self, index: int, **_: Any) -> list[dict[str, Any]]:
        from pixelis.models.dialects import get_dialect
        from pixelis.models.resize import fit_image
        from pixelis.ops.workspace import Workspace

        question = self.questions[index]
        convention = get_dialect(self.profile.dialect).convention
        text_limit = self.profile.text_limit
        budget = self.profile.budget
        self._workspace = Workspace(question.open(), budget, convention, text_limit)
        first = fit_image(self._workspace.images[0], budget)
        return [{"type": "image", "image": first}, {"type": "text", "text": question.text}]

    def zoom_in(self, bbox_2d: list[int], image: int = 0, label: str = "") -> list[dict[str, Any]]:
        """Enlarge a part of an image.

        Args:
            bbox_2d: the part
            image: number of the image
            label: what is expected there
        """
        return self._run(
            "zoom_in", bbox_2d=bbox_2d, image=image, **({"label": label} if label else {})
        )

    def segment_object_at(self, point_2d: list[int], image: int = 0) -> list[dict[str, Any]]:
        """Outline the object under a point.

        Args:
            point_2d: the point
            image: number of the image
        """
        return self._run("segment_object_at", point_2d=point_2d, image=image)

    def get_properties(self, mask: str = "", properties: list[str] = []) -> list[dict[str, Any]]:  # noqa: B006
        """Measure a thing.

        Args:
            mask: handle of its mask
            properties: which to give
        """
        wanted: dict[str, Any] = {"properties": properties} if properties else {}
        return self._run("get_properties", mask=mask, **wanted)

    def read_text(self, bbox_2d: list[int], image: int = 0, find: str = "") -> list[dict[str, Any]]:
        """Read the text in a box.

        Args:
            bbox_2d: the part
            image: number of the image
            find: a label
        """
        return self._run(
            "read_text", bbox_2d=bbox_2d, image=image, **({"find": find} if find else {})
        )

    def _run(self, op: str, **arguments: Any) -> list[dict[str, Any]]:
        from pixelis.episode import Call
        from pixelis.models.resize import fit_image
        from pixelis.ops import REGISTRY

        before = len(self._workspace.images)
        with self.spent.on("act"):
            seen = REGISTRY.run(Call(op, arguments), self._workspace)
        # TRL sizes images in two ways; they agree on images that fit and are then left alone.
        new = [fit_image(one, self.profile.budget) for one in self._workspace.images[before:]]
        shown = [{"type": "image", "image": one} for one in new]
        return [{"type": "text", "text": seen.text}, *shown]


def config(args: argparse.Namespace, folder: str, **changes: Any) -> Any:
    from trl import GRPOConfig

    return GRPOConfig(
        output_dir=folder,
        max_steps=1,
        per_device_train_batch_size=args.questions * args.group,
        num_generations=args.group,
        temperature=1.0,
        use_cpu=True,
        bf16=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        activation_checkpointing=False,
        **changes,
    )


def plain_trl(args: argparse.Namespace, questions: list[Any], folder: str) -> tuple[Any, Spent]:
    """TRL's trainer with a world for each rollout, and the step that plays one batch."""
    from datasets import Dataset
    from trl import GRPOTrainer
    from trl.chat_template_utils import qwen3_template

    from pixelis.models.adapter import renamed_attributes
    from pixelis.models.load import load_policy

    policy: Any = load_policy("nano", device="cpu")
    policy.processor.tokenizer.response_template = qwen3_template
    policy.processor.image_processor.do_resize = False
    spent = Spent()
    World.questions, World.profile, World.spent = questions, policy.profile, spent
    rows = {"prompt": [prompt(policy)] * len(questions), "index": list(range(len(questions)))}
    settings = config(
        args, folder, max_completion_length=3000, max_tool_calling_iterations=TURNS - 1
    )
    with renamed_attributes():
        trainer = GRPOTrainer(
            model=policy.model,
            reward_funcs=nothing,
            args=settings,
            train_dataset=Dataset.from_dict(rows),
            processing_class=policy.processor,
            environment_factory=World,
        )
    trainer.model.generate = spent.wrap("think", trainer.model.generate)

    def step(number: int) -> None:
        chosen = range(number * args.questions, (number + 1) * args.questions)
        rows = [{"prompt": prompt(policy), "index": i} for i in chosen for _ in range(args.group)]
        trainer._generate_and_score_completions(rows)

    trainer.model.train()
    return step, spent


def prompt(policy: Any) -> list[dict[str, Any]]:
    return [{"role": "system", "content": policy.profile.system}, {"role": "user", "content": ""}]


def nothing(completions: list[Any], **_: Any) -> list[float]:
    return [float(len(completion)) for completion in completions]


# ours ---------------------------------------------------------------------------------------------
def ours(args: argparse.Namespace, questions: list[Any], folder: str) -> tuple[Any, Spent]:
    """Our generation step on the same questions, rewards and forward model included."""
    from pixelis.training.course import build
    from pixelis.training.rft import prepare
    from pixelis.training.settings import RftConfig

    settings = RftConfig(
        out=Path(folder),
        families=list(FAMILIES),
        device="cpu",
        precision="fp32",
        questions=args.questions,
        group=args.group,
        batch=args.questions * args.group,
        turns=TURNS,
        stage="full",
        eval_every=0,
        sample_every=0,
        exact=args.exact,
        workers=args.threads,
    )
    run = prepare(settings)
    spent = Spent()

    class Listed:
        def at(self, step: int, count: int) -> list[Any]:
            return questions[step * count : (step + 1) * count]

    run.questions = Listed()
    cache: Any = run.player.cache
    cache.run = spent.wrap("act", cache.run)
    trainer = build(run, lambda row: None)
    trainer.model.generate = spent.wrap("think", trainer.model.generate)

    def step(number: int) -> None:
        trainer.state.global_step = number
        trainer._generate_and_score_completions([{}])

    trainer.model.train()
    return step, spent


def main() -> None:
    import torch

    from pixelis.training.questions import Drawn

    args = parse()
    torch.set_num_threads(args.threads)
    questions = Drawn(20261121, FAMILIES).at(0, args.questions * (args.rounds + 1))
    episodes = args.questions * args.group
    with tempfile.TemporaryDirectory() as folder:
        ways = {"trl": plain_trl(args, questions, folder), "pixelis": ours(args, questions, folder)}
        taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for number in range(args.rounds + 1):
            for name, (step, spent) in ways.items():
                if number == 1:
                    spent.seconds.clear()
                wall, own = time.perf_counter(), time.process_time()
                step(number)
                taken[name].append((time.perf_counter() - wall, time.process_time() - own))
    print(f"{args.rounds} rounds of {episodes} episodes, {args.threads} threads")
    for name, (_, spent) in ways.items():
        wall = sum(one for one, _ in taken[name][1:])
        own = sum(one for _, one in taken[name][1:])
        shares = ", ".join(f"{k} {v / wall:.0%}" for k, v in sorted(spent.seconds.items()))
        rate, worked = (args.rounds * episodes / each for each in (wall, own))
        print(
            f"{name:<8} {rate:5.2f} episodes/s, {worked:5.2f} a second of processor time; {shares}"
        )


if __name__ == "__main__":
    main()
