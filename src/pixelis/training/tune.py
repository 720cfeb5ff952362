"""Supervised fine-tuning of any model on files of episodes: one run, from settings to weights."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch

from pixelis.agent import Budget
from pixelis.data.readers.row import Rejections
from pixelis.errors import CheckpointError, ConfigError, MissingExtraError
from pixelis.models.local import LocalPolicy
from pixelis.models.processor import PixelProcessor
from pixelis.training import adapters
from pixelis.training.collator import Collator
from pixelis.training.curriculum import Rules, State, observe
from pixelis.training.examine import Examiner
from pixelis.training.footprint import Footprint, reckon
from pixelis.training.hardware import has_bf16
from pixelis.training.material import Sample, bands, read, split, whole
from pixelis.training.sampling import Order, balanced
from pixelis.training.settings import RunConfig, TuneConfig
from pixelis.training.stock import Stock, build

LARGE = 1e9  # parameters from which activations are computed twice rather than kept
ADAPTED = 1e8  # parameters from which `auto` takes adapters
FULL, LORA, QLORA = "full", "lora", "qlora"
# What may not change when a run goes on; other settings may.
FIXED = (
    *("model", "seed", "rank", "alpha", "targets", "batch", "accumulate", "packing", "balance"),
    *("curriculum", "lr", "schedule", "warmup", "weight_decay"),
)
Report = Callable[[dict[str, Any]], None]


@dataclass
class Tuning:
    """A run before it starts: everything read and measured, nothing learned.

    Attributes:
        policy: the model with its processor and profile.
        asked: held-out samples.
        broken: records that could not be read.
        steps: of the whole run.
        method: `full`, `lora` or `qlora`.
        checkpointing: whether activations are computed again in the backward pass.
        state: of the curriculum.
    """

    config: TuneConfig
    policy: LocalPolicy
    collator: Collator
    stock: Stock
    asked: list[Sample]
    order: Order
    steps: int
    method: str
    checkpointing: bool
    parameters: int
    broken: Rejections = field(default_factory=Rejections)
    state: State = field(default_factory=State)

    @property
    def tokens(self) -> int:
        """Of all episodes together."""
        return sum(item.tokens for item in self.stock.items)

    @cached_property
    def data(self) -> str:
        """SHA-256 over the episodes as they are told to this model."""
        digest = hashlib.sha256()
        for item in self.stock.items:
            digest.update(item.episode.to_json().encode())
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        """What a run that goes on must have in common with the one before."""
        settings = self.config.model_dump(mode="json", include=set(FIXED))
        return {**settings, "method": self.method, "steps": self.steps, "data": self.data}

    def remember(self) -> dict[str, Any]:
        """What a checkpoint keeps besides weights, optimizer and random numbers."""
        return {"identity": self.identity(), "curriculum": self.state.to_dict()}

    def recall(self, record: Mapping[str, Any]) -> None:
        """Takes over what `remember` gave; CheckpointError when the run was another one."""
        mine, there = self.identity(), record.get("identity", {})
        for name, value in mine.items():
            if there.get(name) != value:
                raise CheckpointError(
                    f"{self.config.out} belongs to a run with {name} = {there.get(name)!r}, not "
                    f"{value!r}; choose another --out to start afresh"
                )
        self.state = State.from_dict(record["curriculum"])

    def learn_from(self, accuracy: float, step: int) -> None:
        """Moves the curriculum by what an examination at `step` gave."""
        if self.config.curriculum:
            rules = Rules(goal=self.config.goal, patience=self.config.patience)
            self.state = observe(self.state, accuracy, step, rules)

    def fixed(self, step: int) -> bool:
        """Whether it is known what `step` learns before the step before it is over."""
        every = self.config.eval_every
        return not (self.config.curriculum and every and step % every == 0)

    def examiner(self) -> Examiner | None:
        """Asks what is held out; None when nothing is."""
        if not self.asked:
            return None
        budget = Budget(steps=8, new_tokens=self.policy.profile.new_tokens)
        half = precision_of(self.config, self.policy.model.device)
        return Examiner(self.asked, seeing(self.policy), self.policy.profile, budget, half)


def seeing(policy: LocalPolicy) -> PixelProcessor:
    """The processor of a model that sees; ConfigError for one that reads text only."""
    if not isinstance(policy.processor, PixelProcessor):
        raise ConfigError(f"{policy.name} reads text only; fine-tuning needs a Qwen-VL checkpoint")
    return policy.processor


def prepare(
    config: TuneConfig, world: int = 1, on_item: Callable[[int, int], None] | None = None
) -> Tuning:
    """Reads the data, loads the model and tells every episode for it.

    Args:
        world: processes that train together.
        on_item: told how many episodes are ready, and of how many.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    if config.curriculum and not (config.eval_every and config.held_out):
        raise ConfigError("curriculum goes by held-out answers; set eval_every and held_out")
    broken = Rejections()
    samples = read(config.data, broken)
    learned, asked = split(samples, config.held_out)
    asked = asked[:: max(len(asked) // max(config.held_out, 1), 1)][: config.held_out]
    asked = whole(asked, broken)
    policy = load(config)
    parameters = sum(each.numel() for each in policy.model.parameters())
    collator = _collator(config, policy)
    stock = build(learned, collator, config.out / "told", config.skip_long, on_item)
    order = _order(config, stock, world)
    steps = config.steps or math.ceil(config.epochs * len(stock.items) / order.count)
    method: str = config.method
    if method == "auto":
        method = FULL if parameters < ADAPTED else LORA
    large = parameters > LARGE
    again = large if config.checkpointing is None else config.checkpointing
    asked = asked if config.eval_every or config.sample_every else []
    return Tuning(
        config, policy, collator, stock, asked, order, steps, method, again, parameters, broken
    )


def load(config: RunConfig) -> LocalPolicy:
    """The model to be trained; FlashAttention-2 where it is installed and the device has it."""
    from pixelis.models.load import BUNDLED, FOLDER, load_policy

    if config.model not in BUNDLED and not config.model.startswith(FOLDER):
        raise ConfigError(f"model {config.model!r} cannot be trained here; give nano or hf:PATH")
    options: dict[str, Any] = {"device": config.device}
    options |= {"quantize": "nf4"} if config.method == QLORA else {}
    if config.model not in BUNDLED:
        options |= {
            "min_pixels": config.min_pixels,
            "max_pixels": config.max_pixels,
            "allow_download": config.allow_download,
        }
    policy = load_policy(config.model, **options)
    assert isinstance(policy, LocalPolicy)
    if hasattr(policy.model, "peft_config"):
        raise ConfigError(
            f"{config.model} holds adapters; merge them first, or start from the model"
        )
    return policy


def tune(tuning: Tuning, report: Report) -> Any:
    """Runs or resumes; gives the trainer, whose model has the final weights.

    `report` gets one dict of numbers a step, and one for each examination.
    """
    found = resume_point(tuning)
    from pixelis.training.session import build_trainer

    trainer = build_trainer(tuning, report)
    trainer.train(resume_from_checkpoint=None if found is None else str(found))
    return trainer


def resume_point(tuning: Tuning) -> Path | None:
    """The newest whole checkpoint, whose curriculum is taken over; None at the start.

    CheckpointError when the folder belongs to another run; nothing is written before that is known.
    """
    try:
        from pixelis.training.session import latest
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "train") from error
    found, record = latest(tuning.config.out)
    if record is not None:
        tuning.recall(record)
    return found


class Trained(Protocol):
    """A run whose weights can be written."""

    @property
    def config(self) -> RunConfig: ...

    @property
    def policy(self) -> LocalPolicy: ...

    @property
    def method(self) -> str: ...


def export(tuning: Trained, model: Any) -> dict[str, Path]:
    """Writes what the run made: `OUT/model` (whole weights) or `OUT/adapter`, and with `merge` the
    adapters merged into `OUT/model`. Gives the folders by name."""
    config, policy = tuning.config, tuning.policy
    dtype = torch.float32 if config.precision == "fp32" else torch.bfloat16
    profile = replace(policy.profile, name=config.out.name or policy.profile.name)
    if tuning.method == FULL:
        folder = adapters.save_model(model, seeing(policy), profile, config.out / "model", dtype)
        return {"model": folder}
    base = config.model if ":" not in config.model else _where(config)
    made = {"adapter": adapters.save_adapters(model, config.out / "adapter", base, profile)}
    if config.merge:
        whole = model.merge_and_unload()
        made["model"] = adapters.save_model(
            whole, seeing(policy), profile, config.out / "model", dtype
        )
    return made


def precision_of(config: RunConfig, device: torch.device) -> bool:
    """Whether passes run in bf16; weights that are learned stay in fp32."""
    return config.precision == "bf16" or (config.precision == "auto" and has_bf16(device))


def learning_rate(config: TuneConfig, method: str) -> float:
    return config.lr or (2e-5 if method == FULL else 1e-4)


def _where(config: RunConfig) -> str:
    from pixelis.models.hub import find_checkpoint
    from pixelis.models.load import FOLDER

    return str(find_checkpoint(config.model.removeprefix(FOLDER)).resolve())


def _collator(config: TuneConfig, policy: LocalPolicy) -> Collator:
    context = int(policy.model.config.get_text_config().max_position_embeddings)
    room = config.room or context
    if room > context:
        raise ConfigError(f"room = {room} is more than the model's context of {context} tokens")
    places = policy.model.model.get_rope_index
    return Collator(seeing(policy), policy.profile, room, places)


def _order(config: TuneConfig, stock: Stock, world: int) -> Order:
    samples = [item.sample for item in stock.items]
    families = [sample.family for sample in samples]
    chances = balanced([sample.weight for sample in samples], families, config.balance)
    return Order(chances, bands(samples), config.batch * config.accumulate * world, config.seed)


def learned_parameters(tuning: Tuning) -> int:
    """How many parameters the run will learn."""
    config, model = tuning.config, tuning.policy.model
    if tuning.method == FULL:
        return tuning.parameters
    ranks = adapters.read_ranks(config.ranks) if config.ranks is not None else None
    layers = adapters.linear_layers(model, config.targets)
    return adapters.learned(layers, config.rank, ranks)


def takes(tuning: Tuning) -> Footprint:
    """The memory that the run is reckoned to take on each device."""
    config, items = tuning.config, tuning.stock.items
    lengths = sorted((item.tokens for item in items), reverse=True)[: config.batch]
    tokens = sum(lengths) if config.packing else lengths[0] * config.batch
    model = tuning.policy.model
    attention = str(getattr(model.config, "_attn_implementation", ""))
    return reckon(
        model,
        tuning.parameters,
        learned_parameters(tuning),
        tokens,
        half=precision_of(config, model.device),
        checkpointing=tuning.checkpointing,
        packed=config.packing,
        flash=attention.startswith("flash"),
    )
