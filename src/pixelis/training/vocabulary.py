"""The text nano's tokenizer is trained on: questions of every kind and what ops tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from transformers import PreTrainedTokenizerFast

from pixelis.data import phrases, tasks
from pixelis.data.solver import AGAIN
from pixelis.data.tasks import Query
from pixelis.data.worlds import layouts, words
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.sprites import SHAPES
from pixelis.models.nano import SYSTEM
from pixelis.models.tokenizer import scaffold, train_tokenizer

OPERATIONS = (
    "zoom_in",
    "segment_object_at",
    "get_properties",
    "read_text",
    "track_object",
    "select_frames",
)
FIELDS = (
    "bbox_2d",
    "point_2d",
    "image",
    "label",
    "mask",
    "properties",
    "start_frame",
    "end_frame",
    "frames",
    "find",
    "column",
)
SCENES = 9  # of each family
HANDLES = ("crop", "mask", "text", "track", "region")
FIXED = (
    "List everything. Where is the Point at the What is at Which character is it? How many do you "
    "see? things I can't see that; looked here crop_1 is image 1: part of image 0, px enlarged to "
    "mask_1: region_1: text_1 lines track_1 no text found no clear object here confidence box "
    "area object seen at this call was made before the operation says need within allowed is empty "
    "outside arguments are missing unknown argument the next turn must be the answer"
)


def corpus(seed: int, count: int = 6000) -> Iterator[str]:
    """Questions, targets and observation words; the same for the same seed."""
    rng = np.random.default_rng([seed, 77])
    yield from (SYSTEM, *[FIXED] * 5, *words.NOUNS, *words.VERBS)
    for _ in range(5):
        yield from ("List", "Where", "Point", "What", "How", "Which", " card", *COLORS, *SHAPES)
    yield from (
        f" {word}" for word in (*COLORS, *SHAPES, *words.NOUNS, *words.VERBS) for _ in range(3)
    )
    for query in drawn(rng, count):
        yield phrases.ask(rng, query.kind, query.slots)
        again = AGAIN if rng.random() < 0.15 else ""
        yield f"<think>{again}{query.plan.opening}</think>"
        if rng.random() < 0.3:
            yield phrases.ask(rng, "unknown", {})


def drawn(rng: np.random.Generator, count: int) -> Iterator[Query]:
    """Questions of all families in turn, within one every kind equally likely.

    Drawn from all that scenes allow, nine in ten would compare sizes and places, and the words of
    clips would be missing.
    """
    pools = [list(_queries(rng, family)) for family in tasks.FAMILIES]
    for number in range(count):
        yield tasks.choose(rng, pools[number % len(pools)])


def _queries(rng: np.random.Generator, family: str) -> Iterator[Query]:
    """What a family asks about some of its scenes or clips."""
    shares = tasks.SCENES[family]
    for _ in range(SCENES):
        kind = str(rng.choice(list(shares), p=list(shares.values())))
        yield from tasks.MAKERS[family](tasks.draw_kind(rng, layouts.draw_domain(rng), kind))


def make_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """nano's tokenizer, trained on the corpus of that seed."""
    return train_tokenizer(corpus(seed), scaffold(OPERATIONS, FIELDS, HANDLES), vocab_size=1600)
