"""TRL's SFTTrainer on our own batches: no column is dropped, nothing is cut, and a run that was
killed goes on with the very weights it would have had.

What is replaced: the data loader (`Feed` draws a step's episodes from the step's number, so there
is no position to restore), and checkpoints (see `durable`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from trl import SFTTrainer

from pixelis.training.collator import Collator
from pixelis.training.durable import Durable
from pixelis.training.sampling import Order, batches, rows
from pixelis.training.stock import Stock

Shares = Mapping[str, float] | None


class Feed:
    """The batches of a run, made in a thread one ahead, but never past a step that may change what
    comes next.

    Args:
        start: gives the step to begin with; asked when iteration begins.
        shares: gives the mixture as it is now.
        fixed: whether the batches of a step can be made before the one before it is over.
        place: rank of this process and how many there are.

    Attributes:
        tokens: of the steps planned so far, on all devices.
    """

    def __init__(
        self,
        stock: Stock,
        collator: Collator,
        order: Order,
        steps: int,
        accumulate: int,
        packing: bool,
        start: Callable[[], int],
        shares: Callable[[], Shares],
        fixed: Callable[[int], bool],
        place: tuple[int, int] = (0, 1),
    ) -> None:
        self.stock, self.collator, self.order = stock, collator, order
        self.steps, self.accumulate, self.packing = steps, accumulate, packing
        self.start, self.shares, self.fixed, self.place = start, shares, fixed, place
        self.lengths = [item.tokens for item in stock.items]
        self.tokens: dict[int, int] = {}

    def __len__(self) -> int:
        return self.steps * self.accumulate

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        with ThreadPoolExecutor(1) as pool:
            waiting: Future[Any] | None = None
            for step in range(self.start(), self.steps):
                plans = self.plans(step)
                for number, plan in enumerate(plans, start=1):
                    batch = (waiting or pool.submit(self.make, plan)).result()
                    waiting = None
                    if number < len(plans):
                        waiting = pool.submit(self.make, plans[number])
                    elif step + 1 < self.steps and self.fixed(step + 1):
                        waiting = pool.submit(self.make, self.plans(step + 1)[0])
                    yield batch

    def plans(self, step: int) -> list[list[int]]:
        """The episodes of each pass of this process in a step."""
        rank, world = self.place
        chosen = self.order.at(step, self.shares())
        self.tokens[step] = sum(self.lengths[index] for index in chosen)
        divide = rows if self.packing else batches
        return divide(chosen, self.lengths, self.accumulate * world)[rank::world]

    def make(self, plan: list[int]) -> dict[str, torch.Tensor]:
        """The model inputs of one pass."""
        talks = self.stock.talks(self.collator, plan)
        return self.collator.packed(talks) if self.packing else self.collator.padded(talks)


class EpisodeTrainer(Durable, SFTTrainer):
    """SFTTrainer fed by a `Feed`.

    Args:
        feed: makes the feed once the trainer knows its rank.
        keep: checkpoints that stay.
        remember: gives what a checkpoint keeps besides: the curriculum's state and the like.
        **settings: of SFTTrainer.
    """

    _tag_names = ["pixelis", "sft"]  # noqa: RUF012

    def __init__(
        self,
        *,
        feed: Callable[[EpisodeTrainer], Feed],
        keep: int,
        remember: Callable[[], Mapping[str, Any]],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        # The loss of a step is the mean over all its learned tokens, however they lie in passes.
        # transformers counts them only for models that take the count; TRL's loss uses it itself.
        self.model_accepts_loss_kwargs: bool = True
        self.feed = feed(self)
        self.keep = keep
        self.remember = remember
        for printing in (PrinterCallback, ProgressCallback):
            self.remove_callback(printing)

    def _send_telemetry(self) -> None:
        """Nothing is sent anywhere."""

    def get_train_dataloader(self) -> Any:
        return self.feed
