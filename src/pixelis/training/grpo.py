"""TRL's GRPOTrainer on lines that somebody else played: the rollouts of our agent loop, or what an
online learner has gathered.

Overridden is `_generate_and_score_completions`, the step in which TRL would play, score and weigh:
a source gives weighed lines for the step instead, already tokens, and they become the very tensors
TRL's loss reads. So dialects, observations, budgets and images are those of serving, and nothing is
cut, re-tokenised or dropped. `tests/training/test_grpo.py` pins what is relied on; an upgrade of
TRL that changes it fails there. Everything else is TRL's: loss, clipping, reference model,
adapters, optimizer, accelerate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from trl import GRPOTrainer

from pixelis.errors import ModelError
from pixelis.training.durable import Durable
from pixelis.training.lines import Weighed, tensors

Source = Callable[[int], Sequence[Weighed]]
"""Gives this process's lines of an optimizer step, counted from 0."""


class Beat:
    """A data loader without data: one beat for each pass."""

    def __init__(self, steps: int, accumulate: int) -> None:
        self.beats = steps * accumulate

    def __len__(self) -> int:
        return self.beats

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        return iter([[{}]] * self.beats)


class LineTrainer(Durable, GRPOTrainer):
    """GRPOTrainer that learns from a source.

    Args:
        source: gives `per_device_train_batch_size * steps_per_generation` lines for every
            generation; asked on every process.
        keep: checkpoints that stay.
        remember: gives what a checkpoint's mark says besides.
        store: writes more into a checkpoint's folder, on every process.
        **settings: of GRPOTrainer.
    """

    _tag_names = ["pixelis", "grpo"]  # noqa: RUF012

    def __init__(
        self,
        *,
        source: Source,
        keep: int = 2,
        remember: Callable[[], Mapping[str, Any]] = dict,
        store: Callable[[Path], None] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(reward_funcs=_scored_elsewhere, **settings)
        self.source = source
        self.keep = keep
        self.remember = remember
        self.store = store
        for printing in (PrinterCallback, ProgressCallback):
            self.remove_callback(printing)

    def _send_telemetry(self) -> None:
        """Nothing is sent anywhere."""

    def get_train_dataloader(self) -> Any:
        return Beat(self.args.max_steps, self.args.gradient_accumulation_steps)

    def keep_more(self, place: Path) -> None:
        if self.store is not None:
            self.store(place)
        self.accelerator.wait_for_everyone()

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        """Tensors of the source's lines; `inputs` is the beat and holds nothing."""
        given = list(self.source(self.state.global_step))
        wanted = self.args.per_device_train_batch_size * self.args.steps_per_generation
        if len(given) != wanted:
            raise ModelError(f"the source gave {len(given)} lines for a batch of {wanted}")
        batch = tensors(given, self.processing_class, self.accelerator.device)
        chosen, replayed = batch.pop("chosen_logprobs"), batch.pop("replayed")
        learned = (batch["completion_mask"] * batch["tool_mask"]).sum()
        batch["num_items_in_batch"] = self.accelerator.gather(learned).sum()
        with torch.no_grad():
            # Asked of all processes: a forward pass of one alone would wait for the others.
            if self._drifts() or bool(self.accelerator.gather(replayed.any()[None]).any()):
                now = self._logprobs(self.model, batch)
                batch["old_per_token_logps"] = torch.where(replayed[:, None], chosen, now)
            if self.beta:
                batch["ref_per_token_logps"] = self._reference(batch)
        return batch

    def _drifts(self) -> bool:
        """Whether lines are learned by weights that did not write them."""
        every = self.args.steps_per_generation * self.num_iterations
        return self.args.gradient_accumulation_steps % every != 0

    def _logprobs(self, model: Any, batch: Mapping[str, Any]) -> torch.Tensor:
        """Log probability of every token behind the prompt, as the loss computes it."""
        names = ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")
        logprobs, _, _ = self._get_per_token_logps_and_entropies(
            model,
            torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1),
            torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1),
            batch["completion_ids"].size(1),
            batch_size=self.args.per_device_train_batch_size,
            **{name: batch[name] for name in names},
        )
        return logprobs

    def _reference(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Log probabilities under the policy before training."""
        if self.ref_model is not None:
            return self._logprobs(self.ref_model, batch)
        model: Any = self.accelerator.unwrap_model(self.model)
        with model.disable_adapter():
            return self._logprobs(self.model, batch)


def _scored_elsewhere(**_: Any) -> list[float]:
    raise AssertionError("rewards come with the lines")
