"""A short full fine-tune, and what it changed: the spectra `ranks` turns into LoRA ranks."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pixelis.training.adapters import LANGUAGE
from pixelis.training.ranks import Spectrum, Weights, measure
from pixelis.training.settings import RanksConfig, TuneConfig
from pixelis.training.tune import Report, prepare, tune


def probe(config: RanksConfig, report: Report) -> list[Spectrum]:
    """Fine-tunes every weight for `steps` steps and measures each linear layer's change."""
    with tempfile.TemporaryDirectory() as folder:
        tuning = prepare(settings(config, Path(folder)))
        model = tuning.policy.model
        before = {name: value.detach().clone().cpu() for name, value in model.state_dict().items()}
        trained = tune(tuning, report).model
    after = trained.state_dict()
    return measure(before, after, config.most, only_in(config))


def stored(config: RanksConfig) -> list[Spectrum]:
    """The same for two folders of weights, read layer by layer."""
    assert config.before is not None
    assert config.after is not None
    before, after = Weights(config.before), Weights(config.after)
    try:
        return measure(before, after, config.most, only_in(config))
    finally:
        before.close()
        after.close()


def settings(config: RanksConfig, out: Path) -> TuneConfig:
    """The fine-tune that is measured: full, nothing asked, nothing kept."""
    same = ("data", "model", "steps", "batch", "lr", "seed", "device", "threads")
    own = {
        "out": out,
        "method": "full",
        "warmup": min(10, config.steps),
        "schedule": "constant",
        "held_out": 0,
        "eval_every": 0,
        "sample_every": 0,
        "save_every": config.steps,
        "skip_long": True,
    }
    return TuneConfig.model_validate(config.model_dump(include=set(same)) | own)


def only_in(config: RanksConfig) -> str:
    """What a layer's name must contain."""
    return "" if config.targets == "all" else LANGUAGE
