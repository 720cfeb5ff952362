"""What a checkpoint of a trainer holds, so that a killed run goes on with the weights it would have
had: no pickled arguments, whole weights by the model's own names, and a mark that is written last.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate.utils import is_peft_model
from safetensors.torch import load_model, save_model
from transformers import Trainer

from pixelis.errors import CheckpointError

MARK = "complete.json"
WEIGHTS = "model.safetensors"
if TYPE_CHECKING:
    from transformers import Trainer as _Base
else:
    _Base = object


class Durable(_Base):
    """Goes before one of TRL's trainers among the bases.

    Attributes:
        keep: checkpoints that stay.
        remember: gives what the mark says besides: the curriculum's state and the like.
    """

    keep: int
    remember: Callable[[], Mapping[str, Any]]

    def keep_more(self, place: Path) -> None:
        """Called on every process once a checkpoint's own files lie in `place`."""

    def note(self, values: dict[str, float]) -> None:
        """Logs values of our own, with none of TRL's averages mixed in; the step's own follow."""
        wanted = self.control.should_log
        Trainer.log(self, values)
        self.control.should_log = wanted

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir or ".")
        folder.mkdir(parents=True, exist_ok=True)
        if is_peft_model(self.model):
            self.model.save_pretrained(folder, state_dict=state_dict, save_embedding_layers=False)
        elif state_dict is not None:
            self.model.save_pretrained(folder, state_dict=state_dict)
        else:
            save_model(self.model, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        sharded = self.is_deepspeed_enabled or self.is_fsdp_enabled
        if sharded or is_peft_model(self.model):
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        load_model(self.model, str(Path(resume_from_checkpoint) / WEIGHTS), strict=True)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        Trainer._save_checkpoint(self, model, trial)  # TRL's adds a model card
        place = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        self.keep_more(place)
        if not self.args.should_save:
            return
        part = place / f"{MARK}.part"
        part.write_text(json.dumps(dict(self.remember()), indent=2) + "\n", encoding="utf-8")
        os.replace(part, place / MARK)
        for old in checkpoints(place.parent)[: -self.keep]:
            shutil.rmtree(old)


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints of a run, oldest first; one that a kill cut short has no mark."""
    found = [path.parent for path in folder.glob(f"checkpoint-*/{MARK}")]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))


def read_mark(checkpoint: Path) -> dict[str, Any]:
    """What `remember` gave when the checkpoint was written."""
    try:
        return json.loads((checkpoint / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{checkpoint / MARK} cannot be read: {error}") from error
