"""The end of a run: the best weights, rounded as they are stored, with calibrated thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pixelis.data.stories import damage, tell
from pixelis.wheeler import checkpoint
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.memory import WheelerMemory
from pixelis.wheeler.tokens import encode_text

MEMORIES, QUESTIONS = 1000, 300
STRANGERS = 0.995  # share of unknown texts that vigilance tells from memories
CALLED = 0.02
TRIALS, FACTORS = 100, (1.0, 1.25, 1.5, 2.0, 3.0, 4.0)


def finish(folder: Path) -> Path:
    """Writes `folder/model`: the best weights in 16 bits, with what they were trained on."""
    model = checkpoint.load(folder / "best.pt")
    about = model.about
    place = checkpoint.save(model, folder / "model", about, half=True)
    model = checkpoint.load(place)  # calibrated as it will be used, with rounded weights
    trust(model)
    model.vigilance, model.strictness = thresholds(model)
    return checkpoint.save(model, place, about, half=True)


@torch.no_grad()
def trust(model: WheelerTextAutoencoder, seed: int = 0) -> None:
    """Raises what a differing cell costs a token until clean frames are read without an error.

    Training with damaged frames leaves the decoder so fond of likely words that it corrects what
    is right; damage is for the dynamics to mend. Held against stories with a strange word in four.
    """
    rng = np.random.default_rng([seed, 47])
    most = model.shape.max_tokens
    stories = [str(tell.draw_text(rng, "train", 2 + most // 10)).split() for _ in range(TRIALS)]
    texts = [
        " ".join(damage.invented_word(rng) if rng.random() < 0.25 else word for word in story)
        for story in stories
    ]
    rows = [encode_text(model.tokenizer, text)[:most] for text in texts]
    frames = model.set_grid_from_image(model.frames(texts))
    learned = float(model.decoder.trust)
    for factor in FACTORS:
        model.decoder.trust.fill_(learned * factor)
        if model.decode_ids(frames) == rows:
            return
    model.decoder.trust.fill_(learned)  # tokens share patterns: context has to decide


def thresholds(model: WheelerTextAutoencoder, seed: int = 0) -> tuple[float, float]:
    """Vigilance and strictness, from training's own words.

    Vigilance lies in the middle between the likeness of unknown texts and of remembered ones that
    lost a third of their words, where these are apart; else so that few unknown ones pass.
    Strictness calls at most `CALLED` of all paraphrases novel.
    """
    rng = np.random.default_rng([seed, 41])
    texts = tell.distinct(lambda: tell.draw_memory(rng, "train"), MEMORIES + QUESTIONS)
    memory = WheelerMemory(model, vigilance=0.0, strictness=-1.0)
    memory.remember_all([str(text) for text in texts[:MEMORIES]])
    chosen = rng.choice(MEMORIES, QUESTIONS, replace=False)
    same = [str(tell.with_synonyms(rng, texts[k], 0.5)) for k in chosen]
    lost = [damage.drop_words(rng, text, 0.3) for text in same]
    known = [memory.recall(text, gist=False).likeness for text in lost]
    strange = [memory.recall(str(t), gist=False).likeness for t in texts[MEMORIES:]]
    above, below = float(np.quantile(strange, STRANGERS)), float(np.quantile(known, 0.05))
    support = [memory.recall(text, gist=False).support or 0.0 for text in same]
    vigilance = (above + below) / 2 if below > above else above
    return round(vigilance, 4), round(float(np.quantile(support, CALLED)), 4)
