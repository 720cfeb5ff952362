"""Noisy repeat questions about pictures: Wheeler beside the neighbour index, on one store.

Questions about drawn scenes are kept with their pictures. Later they are asked again, mistyped,
shortened or in other words, about the same picture scaled and compressed anew. Beside them come
questions that nobody asked before about known pictures, and known questions about new pictures:
there memory must not speak up.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from pixelis.data import phrases
from pixelis.data.stories import damage
from pixelis.data.tasks import MAKERS, Query
from pixelis.data.worlds import layouts
from pixelis.evals.wheeler.figures import Figure, share
from pixelis.memory import Experience, Memory, Probe
from pixelis.memory.embedding import Embedder, PlainEmbedder, PooledEmbedder
from pixelis.memory.media import fingerprint
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.recall import WheelerRecall

SCENES, CALIBRATION, EACH = 60, 40, 3
Ask = Callable[[np.random.Generator, str, Query], str]
AGAIN: dict[str, Ask] = {
    "typos 10 %": lambda rng, text, query: damage.mistype(rng, text, 0.1),
    "lost words 30 %": lambda rng, text, query: damage.drop_words(rng, text, 0.3),
    "other words": lambda rng, text, query: phrases.ask(rng, query.kind, query.slots),
}
STRANGE = ("a new question, a known picture", "a known question, a new picture")


@dataclass(frozen=True)
class Told:
    """A drawn picture with what is asked about it: some questions are kept, one is not."""

    image: Image.Image
    kept: tuple[tuple[str, Query], ...]
    new: str


class Asked(NamedTuple):
    """A question put to memory; `wanted` is the id of what is meant, empty for nothing."""

    question: str
    image: Image.Image
    wanted: str


class Reply(NamedTuple):
    """What an engine says: the first experience's id, and how sure it is that this is meant."""

    id: str
    sure: float


Engine = Callable[[Asked], Reply]


def agent_figures(
    model: WheelerTextAutoencoder,
    scenes: int = SCENES,
    calibration: int = CALIBRATION,
    pooled: bool = True,
) -> list[Figure]:
    """Right memories of noisy repeats, and votes where none is due, engine beside engine.

    The neighbour index has no state of its own: it speaks up above the likeness at which it
    accepts as many repeats as Wheeler does, found on other scenes.
    """
    embedders: dict[str, Embedder] = {"neighbours, plain": PlainEmbedder()}
    if pooled:
        embedders["neighbours, pooled"] = _seeing_once()
    least = _thresholds(model, embedders, calibration)
    hits: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng([21, 53])
        told = [scene_of(rng) for _ in range(scenes)]
        engines, asked = _ask_all(Path(folder), model, embedders, told, rng)
        for name, questions in asked.items():
            for arm, engine in engines.items():
                replies = [engine(one) for one in questions]
                spoke = [reply.sure >= least[arm] for reply in replies]
                right = [r.id == one.wanted for r, one in zip(replies, questions, strict=True)]
                column = hits.setdefault(name, {})
                column[arm] = [float(r) for r in (spoke if name in STRANGE else right)]
                both = [float(a and b) for a, b in zip(spoke, right, strict=True)]
                hits.setdefault(f"{name}, voted", {})[arm] = both
    return list(_figures(hits, scenes))


def _figures(hits: dict[str, dict[str, list[float]]], scenes: int) -> Any:
    about = f"{scenes} scenes with {EACH} kept questions each; pictures scaled and compressed anew"
    for name, arms in hits.items():
        if name.removesuffix(", voted") in STRANGE and name.endswith(", voted"):
            continue
        kind, how = "right memory first", "share of repeats whose own experience comes first"
        if name in STRANGE:
            kind, how = "vote where none is due", "share where memory spoke up; lower is better"
        elif name.endswith(", voted"):
            kind, how = "right vote", "share where memory spoke up and was right"
        rest = {arm: values for arm, values in arms.items() if arm != "wheeler"}
        title = f"agent, {kind}: {name.removesuffix(', voted')}"
        figure = share(title, arms["wheeler"], 0.0, rest, f"{how}; {about}")
        yield replace(figure, ok=True)


def scene_of(rng: np.random.Generator) -> Told:
    """A scene with enough to ask about."""
    while True:
        scene = layouts.draw_scene(rng, layouts.draw_domain(rng))
        queries = [query for maker in MAKERS.values() for query in maker(scene)]
        asked = {(q.kind, *sorted(q.slots.items())): q for q in queries}
        if len(asked) > EACH:
            break
    order = rng.permutation(len(asked))[: EACH + 1]
    chosen = [list(asked.values())[place] for place in order]
    texts = [phrases.ask(rng, query.kind, query.slots) for query in chosen]
    kept = tuple(zip(texts[:EACH], chosen[:EACH], strict=True))
    return Told(Image.fromarray(scene.pixels), kept, texts[EACH])


def again(image: Image.Image) -> Image.Image:
    """The picture as it comes the second time: four fifths of the size, compressed."""
    small = image.resize((image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, format="JPEG", quality=60)
    with Image.open(stream) as back:
        return back.convert("RGB")


def _ask_all(
    folder: Path,
    model: WheelerTextAutoencoder,
    embedders: dict[str, Embedder],
    told: Sequence[Told],
    rng: np.random.Generator,
) -> tuple[dict[str, Engine], dict[str, list[Asked]]]:
    """Engines that know all that is kept, and the questions by what happened to them."""
    stores = {name: Memory(folder / f"{k}") for k, name in enumerate(embedders)}
    ids: list[tuple[str, ...]] = []
    for scene in told:
        for name, store in stores.items():
            kept = [_keep(store, scene.image, q, embedders[name]) for q, _ in scene.kept]
        ids.append(tuple(kept))
    seconds = [again(scene.image) for scene in told]
    fresh = [again(scene_of(rng).image) for _ in told]
    asked: dict[str, list[Asked]] = {name: [] for name in (*AGAIN, *STRANGE)}
    for scene, own, image, other in zip(told, ids, seconds, fresh, strict=True):
        for (text, query), wanted in zip(scene.kept, own, strict=True):
            for name, damaged in AGAIN.items():
                asked[name].append(Asked(damaged(rng, text, query), image, wanted))
            asked[STRANGE[1]].append(Asked(text, other, ""))
        asked[STRANGE[0]].append(Asked(scene.new, image, ""))
    first = next(iter(stores.values()))
    wheeler = WheelerRecall(first, model, gist=False)
    engines: dict[str, Engine] = {"wheeler": _wheeler(wheeler), "dynamics off": _off(wheeler)}
    for name, embedder in embedders.items():
        engines[name] = _neighbours(stores[name], embedder)
    return engines, asked


def _keep(store: Memory, image: Image.Image, question: str, embedder: Embedder) -> str:
    """Keeps a question; ids are alike in all stores, and the picture itself is not needed."""
    one = Experience(
        question,
        "",
        id=f"{len(store):08d}",
        likeness=fingerprint(image),
        space=embedder.space,
        embedding=embedder.embed(question, image),
    )
    return store.add(one).id


def _wheeler(engine: WheelerRecall) -> Engine:
    def ask(one: Asked) -> Reply:
        found = engine.recall(Probe(one.question, likeness=fingerprint(one.image)), 1)
        first = found.neighbours[0].experience.id if found.neighbours else ""
        return Reply(first, float(found.state != "NOVEL"))

    return ask


def _off(engine: WheelerRecall) -> Engine:
    """Wheeler's own search without settling; what is NOVEL is told without it in any case."""

    def ask(one: Asked) -> Reply:
        probe = Probe(one.question, likeness=fingerprint(one.image))
        state = engine.recall(probe, 1).state
        best, _ = engine.nearest(one.question, probe)
        return Reply(best, float(state != "NOVEL"))

    return ask


def _neighbours(store: Memory, embedder: Embedder) -> Engine:
    def ask(one: Asked) -> Reply:
        vector = embedder.embed(one.question, one.image)
        found = store.search(Probe(one.question, vector, embedder.space), 1).neighbours
        return Reply(found[0].experience.id, found[0].likeness) if found else Reply("", -1.0)

    return ask


def _thresholds(
    model: WheelerTextAutoencoder, embedders: dict[str, Embedder], scenes: int
) -> dict[str, float]:
    """The likeness from which each engine speaks up, so that all accept equally many repeats."""
    rng = np.random.default_rng([22, 59])
    with tempfile.TemporaryDirectory() as folder:
        told = [scene_of(rng) for _ in range(scenes)]
        engines, asked = _ask_all(Path(folder), model, embedders, told, rng)
        repeats = [one for name in AGAIN for one in asked[name]]
        accepted = float(np.mean([engines["wheeler"](one).sure for one in repeats]))
        least = {"wheeler": 0.5, "dynamics off": 0.5}
        for name in embedders:
            sure = [engines[name](one).sure for one in repeats]
            least[name] = float(np.quantile(sure, 1 - accepted))
    return least


def _seeing_once() -> Embedder:
    """The embedder that a service with the bundled model has; it looks once at each picture."""
    from pixelis.models.load import load_policy

    class Once(PooledEmbedder):
        def __init__(self, policy: Any) -> None:
            super().__init__(policy)
            self._known: dict[int, tuple[Image.Image, np.ndarray]] = {}

        def _seen(self, image: Image.Image) -> np.ndarray:
            if id(image) not in self._known:
                self._known[id(image)] = (image, super()._seen(image))
            return self._known[id(image)][1]

    return Once(load_policy("nano"))
