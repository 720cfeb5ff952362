"""Tasks: a scene or clip, a question in somebody's words, the gold answer and how to find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from pixelis.answers.score import correct, score
from pixelis.answers.types import AnswerType
from pixelis.data import phrases
from pixelis.data.families import attribute, counting, geometry, relation, space, text, time
from pixelis.data.families.naming import middle
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds import clips, layouts
from pixelis.data.worlds import domains as styles
from pixelis.data.worlds.clips import Film
from pixelis.data.worlds.domains import Domain
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.scene import Scene
from pixelis.errors import ConfigError, DataError

__all__ = ["FAMILIES", "MAKERS", "Plan", "Query", "Task", "choose", "draw", "middle", "validate"]

SPLITS = {"train": 0, "test": 1, "shift": 2, "calibration": 3}
Split = Literal["train", "test", "shift", "calibration"]
DIFFICULTIES = ("easy", "medium", "hard")
TRIES = 400  # scenes drawn until one has a question of the wanted difficulty

MAKERS: dict[str, Callable[[Scene], Iterator[Query]]] = {
    "text_extraction": text.queries,
    "attribute_recognition": attribute.queries,
    "object_counting": counting.queries,
    "geometric_comparison": geometry.queries,
    "spatial_reasoning": space.queries,
    "relationship_detection": relation.queries,
    "temporal_tracking": time.queries,
}
FAMILIES = tuple(MAKERS)
CLIP = "clip"
# Which scenes a family is asked about, and how often; "" is the usual mixture of pictures.
SCENES: dict[str, dict[str, float]] = {
    "text_extraction": {"": 0.6, "receipt": 0.13, "form": 0.12, "table": 0.15},
    "attribute_recognition": {"": 1.0},
    "object_counting": {"": 0.92, "bars": 0.08},
    "geometric_comparison": {
        "few": 0.45, "objects": 0.15, "mixed": 0.12, "cards": 0.1, "bars": 0.18,
    },
    "spatial_reasoning": {"few": 0.55, "objects": 0.25, "mixed": 0.12, "curves": 0.08},
    "relationship_detection": {
        "cards": 0.36, "pairs": 0.16, "ties": 0.16, "shelves": 0.12, "objects": 0.12, "bars": 0.08,
    },
    "temporal_tracking": {CLIP: 1.0},
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One question with its truth."""

    id: str
    family: str
    scene: Scene
    question: str
    answer: str
    answer_type: AnswerType
    difficulty: str
    plan: Plan
    kind: str = ""

    @property
    def image(self) -> Image.Image:
        """The picture, or the first frame of the clip."""
        return Image.fromarray(self.scene.pixels)

    @property
    def source(self) -> Image.Image | bytes:
        """What `open_media` opens: the picture, or the bytes of the clip's file."""
        return self.scene.video if isinstance(self.scene, Film) else self.image

    @property
    def domain(self) -> str:
        return self.scene.domain


def choose(rng: np.random.Generator, queries: Sequence[Query]) -> Query:
    """One of them: each kind of question equally likely, then each gold answer.

    Without the second step two thirds of all counts would be one.
    """
    kind = _one(rng, [query.kind for query in queries])
    pool = [query for query in queries if query.kind == kind]
    answer = _one(rng, [query.answer for query in pool])
    rest = [query for query in pool if query.answer == answer]
    return rest[int(rng.integers(len(rest)))]


def _one(rng: np.random.Generator, values: Sequence[str]) -> str:
    distinct = sorted(set(values))
    return distinct[int(rng.integers(len(distinct)))]


def band(scene: Scene, query: Query) -> str:
    """easy / medium / hard by how small the target is, how much else there is, and the steps."""
    if isinstance(scene, Film):
        level = query.hard + scene.shakes + (scene.posts > 1)
        return ("easy", "medium", "hard")[min(level, 2)]
    points = [item for item in scene.items if item.kind in ("chip", "object", "text", "bar")]
    clutter = len(points) + 2 * len([item for item in scene.items if item.kind == "card"])
    small = (
        query.plan.box is not None
        and query.plan.box.area < 0.06 * scene.size.width * scene.size.height
    )
    many = len(query.plan.points) > 4
    level = (clutter > 6) + (clutter > 11) + small + many + query.hard
    return ("easy", "medium", "hard")[min(level, 2)]


def draw(
    seed: int,
    index: int,
    split: Split = "train",
    families: tuple[str, ...] | None = None,
    difficulty: str | None = None,
    domains: tuple[str, ...] | None = None,
) -> Task:
    """Task number `index` of a stream; the same arguments give the same task on every machine.

    Args:
        difficulty: only questions of that band (`easy`, `medium`, `hard`); an easy one is also
            worded without slips of the pen.
        domains: only these style packs; None takes those of the split.

    Raises:
        ConfigError: an unknown split, family, difficulty or domain; a family that has no question
            of that difficulty.
    """
    wanted = families or FAMILIES
    pool = _checked(split, wanted, difficulty, domains)
    rng = np.random.default_rng([seed, SPLITS[split], index])
    family = wanted[index % len(wanted)]
    scene, queries = _drawn(rng, family, pool, difficulty)
    query = choose(rng, queries)
    shift, plain = split == "shift", difficulty == "easy"
    question = phrases.ask(rng, query.kind, query.slots, shift, plain)
    return Task(
        f"{split}-{seed}-{index}", family, scene, question, query.answer, query.answer_type,
        band(scene, query), query.plan, query.kind,
    )  # fmt: skip


def _checked(
    split: str, families: Sequence[str], level: str | None, names: Sequence[str] | None
) -> tuple[Domain, ...]:
    """The domains to draw from; ConfigError for what is not known."""
    if split not in SPLITS:
        raise ConfigError(f"split {split!r}: allowed are {', '.join(SPLITS)}")
    for name in families:
        if name not in MAKERS:
            raise ConfigError(f"family {name!r}: allowed are {', '.join(MAKERS)}")
    if level is not None and level not in DIFFICULTIES:
        raise ConfigError(f"difficulty {level!r}: allowed are {', '.join(DIFFICULTIES)}")
    for name in names or ():
        if name not in styles.BY_NAME:
            raise ConfigError(f"domain {name!r}: allowed are {', '.join(styles.BY_NAME)}")
    if names:
        return tuple(styles.BY_NAME[name] for name in names)
    return styles.SHIFT if split == "shift" else styles.TRAIN


def _drawn(
    rng: np.random.Generator, family: str, pool: Sequence[Domain], level: str | None
) -> tuple[Scene, list[Query]]:
    """A scene with questions of the family, and those of the wanted difficulty."""
    shares = SCENES[family]
    for _ in range(TRIES):
        domain = pool[int(rng.integers(len(pool)))]
        kind = str(rng.choice(list(shares), p=list(shares.values())))
        scene = draw_kind(rng, domain, kind)
        queries = [q for q in MAKERS[family](scene) if level in (None, band(scene, q))]
        if queries:
            return scene, queries
    raise ConfigError(f"family {family!r} gave no {level or ''} question in {TRIES} scenes")


def draw_kind(rng: np.random.Generator, domain: Domain, kind: str) -> Scene:
    """A picture of that kind, of the usual mixture for "", or a clip."""
    if kind == CLIP:
        return clips.draw_clip(rng, domain)
    return layouts.draw_scene(rng, domain, kind or None)


# checks -------------------------------------------------------------------------------------------
def wrong_answers(task: Task) -> list[str]:
    """Answers of the right type that are not the gold one, the likeliest mistakes first."""
    gold = task.answer
    others: dict[str, Sequence[str]] = {
        "yes_no": ("no" if gold == "yes" else "yes",),
        "option": [letter for letter in "ABC" if letter != gold],
        "color": _near_colors(gold),
        "word": [word for word in _WORDS[_word_kind(gold)] if word != gold],
    }
    if task.answer_type == "number":
        if not gold.isdigit():
            raise DataError(f"task {task.id}: its gold answer {gold!r} does not score 1 as a count")
        return [str(n) for n in (int(gold) + 1, int(gold) - 1, int(gold) + 2) if n >= 0]
    if task.answer_type == "text":
        return [text for text in _misread(gold) if not correct(text, gold, "text")]
    return [w for w in others[task.answer_type] if not correct(w, gold, task.answer_type)]


_WORDS: dict[str, tuple[str, ...]] = {
    "shape": ("circle", "square", "hexagon", "diamond", "triangle", "star", "cross"),
    "way": ("left", "right", "up", "down", "up-left", "down-right", "still"),
    "side": ("left", "right", "above", "below"),
    "place": ("top left", "centre", "bottom right", "top right", "left", "bottom"),
    "part": ("beginning", "middle", "end"),
}
_ALIKE = {
    "red": "orange", "orange": "red", "yellow": "orange", "green": "blue", "blue": "purple",
    "purple": "blue", "pink": "red", "brown": "red", "black": "grey", "white": "grey",
    "grey": "white",
}  # fmt: skip


def _word_kind(word: str) -> str:
    for kind, words in _WORDS.items():
        if word in words:
            return kind
    return "place" if word.split()[0] in ("top", "bottom", "centre") else "shape"


def _near_colors(gold: str) -> list[str]:
    near = _ALIKE.get(gold, "red")
    return [near, *(name for name in COLORS if name not in (near, gold))]


def _misread(text: str) -> list[str]:
    """As a reader may see it: another digit or letters, words lost or swapped."""
    words = text.split()
    digits = str.maketrans("0123456789", "8127456039")
    letters = str.maketrans("aeiourntlsAEIOURNTLS", "eoaulmhfikEOAULMHFIK")
    made = [text.translate(digits), text.translate(letters), " ".join(words[:-1])]
    return [one for one in made if one and one != text] + ["nothing"]


def validate(task: Task) -> None:
    """The gold answer scores 1, an empty one and wrong ones 0; DataError says which does not."""
    kind = task.answer_type
    if not correct(task.answer, task.answer, kind) or score(task.answer, task.answer, kind) < 1:
        raise DataError(f"task {task.id}: its gold answer {task.answer!r} does not score 1")
    if score("", task.answer, kind) != 0:
        raise DataError(f"task {task.id}: an empty answer scores")
    wrong = wrong_answers(task)
    if not wrong:
        raise DataError(f"task {task.id}: no wrong answer to {task.answer!r} is known")
    for answer in wrong:
        if correct(answer, task.answer, kind):
            raise DataError(f"task {task.id}: {answer!r} counts as {task.answer!r}")
