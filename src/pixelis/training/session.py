"""A fine-tuning run under way: TRL's arguments, the trainer, what it notes and when it asks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from transformers import TrainerCallback
from trl import SFTConfig

from pixelis.errors import ConfigError
from pixelis.models.adapter import renamed_attributes
from pixelis.training import adapters
from pixelis.training.durable import checkpoints, read_mark
from pixelis.training.examine import Examiner, Marks
from pixelis.training.trainer import EpisodeTrainer, Feed
from pixelis.training.tune import FULL, Report, Trained, Tuning, learning_rate, precision_of

NAMES = {
    "loss": "loss",
    "grad_norm": "norm",
    "learning_rate": "rate",
    "mean_token_accuracy": "token_accuracy",
    "entropy": "entropy",
}


def latest(out: Path) -> tuple[Path | None, dict[str, Any] | None]:
    """The newest whole checkpoint of a run and what it remembers; None before the first."""
    found = checkpoints(out)
    return (found[-1], read_mark(found[-1])) if found else (None, None)


def arguments(tuning: Tuning) -> SFTConfig:
    """TRL's arguments: nothing cut, nothing dropped, nothing printed."""
    config = tuning.config
    device = tuning.policy.model.device
    every = config.save_every
    return SFTConfig(
        output_dir=str(config.out),
        max_steps=tuning.steps,
        per_device_train_batch_size=config.batch,
        gradient_accumulation_steps=config.accumulate,
        learning_rate=learning_rate(config, tuning.method),
        lr_scheduler_type=config.schedule,
        warmup_steps=min(config.warmup, tuning.steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip,
        logging_steps=1,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=None,
        bf16=precision_of(config, device),
        use_cpu=device.type == "cpu",
        activation_checkpointing=tuning.checkpointing,
        report_to=reporter(config.report_to),
        seed=config.seed,
        max_length=None,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=False,
        ignore_data_skip=True,
        disable_tqdm=True,
    )


def build_trainer(tuning: Tuning, report: Report) -> EpisodeTrainer:
    """The trainer of a run; nothing has been learned yet."""
    config, peft = tuning.config, adapters_of(tuning)
    with renamed_attributes():
        trainer = EpisodeTrainer(
            feed=lambda trainer: _feed(tuning, trainer),
            keep=config.keep,
            remember=tuning.remember,
            model=tuning.policy.model,
            args=arguments(tuning),
            train_dataset=Dataset.from_dict({"index": list(range(len(tuning.stock.items)))}),
            data_collator=_refuse,
            processing_class=tuning.policy.processor,
            peft_config=peft,
        )
    trainer.add_callback(Notes(tuning, trainer.feed, report))
    examiner = tuning.examiner()
    if examiner is not None:
        check_whole(trainer)
        trainer.add_callback(Exams(tuning, trainer, examiner, report))
    return trainer


class Notes(TrainerCallback):
    """Passes each step's numbers on, under our names."""

    def __init__(self, tuning: Tuning, feed: Feed, report: Report) -> None:
        self.tuning, self.feed, self.report = tuning, feed, report

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not state.is_world_process_zero or "loss" not in (logs or {}):
            return
        values = {ours: float(logs[theirs]) for theirs, ours in NAMES.items() if theirs in logs}
        values["tokens"] = float(self.feed.tokens.pop(state.global_step - 1, 0))
        stage = {"curriculum": self.tuning.state.name} if self.tuning.config.curriculum else {}
        self.report({"stage": "sft", "step": state.global_step - 1, **values, **stage})


class Exams(TrainerCallback):
    """Asks the held-out questions, moves the curriculum, and writes traces to look at."""

    def __init__(
        self, tuning: Tuning, trainer: EpisodeTrainer, examiner: Examiner, report: Report
    ) -> None:
        self.tuning, self.trainer = tuning, trainer
        self.examiner, self.report = examiner, report

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        config, step = self.tuning.config, state.global_step
        last = step == state.max_steps
        if config.eval_every and (step % config.eval_every == 0 or last):
            marks = self._ask()
            self.tuning.learn_from(marks.accuracy, step)
            if state.is_world_process_zero:
                self.report({"stage": "sft", "step": step - 1, **marks.values(), "exam": True})
            self.trainer.note({f"eval_{name}": value for name, value in marks.values().items()})
        if config.sample_every and (step % config.sample_every == 0 or last):
            self.trainer.accelerator.wait_for_everyone()
            if state.is_world_process_zero:
                model = self.trainer.accelerator.unwrap_model(self.trainer.model)
                self.examiner.show(model, config.out / "samples", step)
            self.trainer.accelerator.wait_for_everyone()

    def _ask(self) -> Marks:
        """Every process asks its part; the sum is known to all."""
        accelerator = self.trainer.accelerator
        rank, world = accelerator.process_index, accelerator.num_processes
        model = accelerator.unwrap_model(self.trainer.model)
        own, _ = self.examiner.part(rank, world).ask(model)
        parts = gather_object([tuple(own)]) if world > 1 else [tuple(own)]
        return Marks(*(sum(values) for values in zip(*parts, strict=True)))


def reporter(name: str) -> str:
    """The name, if what it names is installed; ConfigError otherwise."""
    if name != "none" and find_spec(name) is None:
        raise ConfigError(f"report_to = {name} needs its package; run: pip install {name}")
    return name


def _feed(tuning: Tuning, trainer: EpisodeTrainer) -> Feed:
    config = tuning.config
    place = (trainer.accelerator.process_index, trainer.accelerator.num_processes)
    return Feed(
        tuning.stock,
        tuning.collator,
        tuning.order,
        tuning.steps,
        config.accumulate,
        config.packing,
        start=lambda: trainer.state.global_step,
        shares=lambda: tuning.state.shares if config.curriculum else None,
        fixed=tuning.fixed,
        place=place,
    )


def adapters_of(tuning: Trained) -> Any:
    """PEFT's configuration of a run; None where whole weights are learned, which become float32.

    ConfigError for whole weights with a file of ranks.
    """
    config = tuning.config
    if tuning.method == FULL:
        if config.ranks is not None:
            raise ConfigError("ranks belongs to method lora or qlora, not full")
        tuning.policy.model = tuning.policy.model.float()
        return None
    ranks = adapters.read_ranks(config.ranks) if config.ranks is not None else None
    return adapters.lora(
        tuning.policy.model, config.rank, config.alpha, config.dropout, config.targets, ranks
    )


def check_whole(trainer: Any) -> None:
    """ConfigError where weights are sharded: a model in pieces cannot answer between steps."""
    plugin = trainer.args.deepspeed_plugin
    sharded = trainer.is_fsdp_enabled or (plugin is not None and plugin.zero_stage == 3)
    if sharded:
        raise ConfigError(
            "eval_every and sample_every need whole weights on each device; set both to 0 with "
            "ZeRO-3 or FSDP and run `pixelis eval` on what it makes"
        )


def _refuse(examples: Any) -> Any:
    raise AssertionError("batches come from the feed")


def memory_in_use() -> float:
    """Most bytes that the device or, on a CPU, this process has held so far."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
