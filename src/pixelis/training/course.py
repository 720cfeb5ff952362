"""A reinforcement run under way: TRL's arguments, the trainer, what it notes and when it asks."""

from __future__ import annotations

from typing import Any

from accelerate.utils import gather_object
from datasets import Dataset
from transformers import TrainerCallback
from trl import GRPOConfig

from pixelis.errors import ConfigError
from pixelis.models.adapter import renamed_attributes
from pixelis.training.grpo import LineTrainer
from pixelis.training.lines import Weighed
from pixelis.training.rft import Run
from pixelis.training.samples import Show
from pixelis.training.session import adapters_of, check_whole, latest, reporter
from pixelis.training.tune import FULL, Report, precision_of

__all__ = ["arguments", "build", "latest"]
NAMES = {
    "loss": "loss",
    "grad_norm": "norm",
    "learning_rate": "rate",
    "entropy": "entropy",
    "kl": "kl",
    "clip_ratio/region_mean": "clipped",
    "step_time": "update_s",
}
OF_TOKENS = ("entropy", "kl", "clipped")  # means over learned tokens


def arguments(run: Run) -> GRPOConfig:
    """TRL's arguments: our batches, nothing generated, cut or printed by TRL itself."""
    config, device = run.config, run.policy.model.device
    return GRPOConfig(
        output_dir=str(config.out),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch,
        gradient_accumulation_steps=config.accumulate,
        num_generations=config.group,
        num_iterations=config.iterations,
        learning_rate=learning_rate(run),
        lr_scheduler_type=config.schedule,
        warmup_steps=min(config.warmup, config.steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip,
        temperature=config.temperature,
        beta=config.beta,
        epsilon=config.epsilon,
        epsilon_high=config.epsilon_high,
        loss_type=config.loss,
        scale_rewards=config.scale,
        logging_steps=1,
        save_strategy="steps",
        save_steps=config.save_every,
        save_total_limit=None,
        bf16=precision_of(config, device),
        use_cpu=device.type == "cpu",
        activation_checkpointing=run.checkpointing,
        report_to=reporter(config.report_to),
        seed=config.seed,
        dataloader_pin_memory=False,
        ignore_data_skip=True,
        disable_tqdm=True,
    )


def learning_rate(run: Run) -> float:
    return run.config.lr or (5e-6 if run.method == FULL else 1e-5)


def build(run: Run, report: Report) -> LineTrainer:
    """The trainer of a run; nothing has been learned yet."""
    config, peft = run.config, adapters_of(run)
    with renamed_attributes():
        trainer = LineTrainer(
            source=lambda step: _played(run, trainer, step),
            keep=config.keep,
            remember=run.remember,
            store=lambda folder: run.memory.save(folder, run.place[0]),
            model=run.policy.model,
            args=arguments(run),
            train_dataset=Dataset.from_dict({"prompt": ["-"] * config.questions * config.group}),
            processing_class=run.player.processor,
            peft_config=peft,
        )
    check_whole(trainer)
    _join(run, trainer)
    if config.sample_every:
        run.show = Show(run)
    trainer.add_callback(Notes(run, report))
    if run.asked:
        trainer.add_callback(Exams(run, trainer, report))
    return trainer


def _join(run: Run, trainer: LineTrainer) -> None:
    """Tells the run its place among the processes."""
    accelerator = trainer.accelerator
    world = accelerator.num_processes
    if (accelerator.process_index, world) != run.place:
        raise ConfigError(
            f"the run was prepared as process {run.place[0]} of {run.place[1]} and is "
            f"{accelerator.process_index} of {world}; start it with accelerate launch"
        )
    if world > 1:
        run.gather = gather_object


def _played(run: Run, trainer: LineTrainer, step: int) -> list[Weighed]:
    """The step's lines; what they were like is logged with TRL's own numbers."""
    lines = run.lines(trainer.accelerator.unwrap_model(trainer.model), step)
    for name, value in run.notes.items():
        if isinstance(value, float):
            trainer._metrics["train"][f"played/{name}"].append(value)
    return lines


class Notes(TrainerCallback):
    """Passes each step's numbers on, under our names."""

    def __init__(self, run: Run, report: Report) -> None:
        self.run, self.report = run, report

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if not state.is_world_process_zero or "loss" not in (logs or {}):
            return
        found = {ours: logs.get(theirs) for theirs, ours in NAMES.items()}
        values = {name: float(value) for name, value in found.items() if value is not None}
        notes = self.run.notes
        if notes.get("even_groups", 0.0) - notes.get("replayed_groups", 0.0) >= 1.0:
            for name in OF_TOKENS:  # nothing was learned: TRL tells those of a token that is not
                values.pop(name, None)
        self.report({"stage": "rft", "step": state.global_step - 1, **values, **notes})


class Exams(TrainerCallback):
    """Asks the held-out questions."""

    def __init__(self, run: Run, trainer: LineTrainer, report: Report) -> None:
        self.run, self.trainer, self.report = run, trainer, report

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        every, step = self.run.config.eval_every, state.global_step
        if step % every and step != state.max_steps:
            return
        marks = self.run.examine(self.trainer.accelerator.unwrap_model(self.trainer.model))
        if state.is_world_process_zero:
            self.report({"stage": "rft", "step": step - 1, **marks, "exam": True})
        self.trainer.note({f"eval_{name}": value for name, value in marks.items()})
