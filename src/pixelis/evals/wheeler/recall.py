"""Recall and novelty: 2,000 remembered texts, asked for with damaged ones, arm beside arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from pixelis.data.stories import damage, tell
from pixelis.data.stories.tell import Split, Text
from pixelis.evals.wheeler.baselines import Bm25, Hopfield, Ngrams, ceiling
from pixelis.evals.wheeler.figures import Figure, share
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.memory import Recall, WheelerMemory

Ask = Callable[[np.random.Generator, Text], str]
DAMAGES: dict[str, tuple[Ask, float | None]] = {
    "drop 40 %": (lambda rng, text: damage.drop_words(rng, str(text), 0.4), 0.93),
    "drop 60 %": (lambda rng, text: damage.drop_words(rng, str(text), 0.6), 0.75),
    "synonyms": (lambda rng, text: str(tell.with_synonyms(rng, text)), 0.95),
    "typos 20 %": (lambda rng, text: damage.mistype(rng, str(text), 0.2), 0.95),
    "cut to 50 %": (lambda rng, text: damage.cut(rng, str(text), 0.5), None),
    "reworded": (lambda rng, text: str(tell.reworded(rng, text)), None),
}
MEMORIES, QUESTIONS, SEEDS = 2000, 400, (1, 2, 3)


@dataclass
class Bench:
    """One set of memories with every arm that knows them."""

    model: WheelerTextAutoencoder
    texts: list[Text]
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.written = [str(text) for text in self.texts]
        self.memory = WheelerMemory(self.model)
        self.ids = {n: k for k, n in enumerate(self.memory.remember_all(self.written))}
        self.ngrams, self.bm25 = Ngrams(self.written), Bm25(self.written)
        self.hopfield = Hopfield(self.memory.frames())

    def arms(self, asked: list[str]) -> dict[str, np.ndarray]:
        """Which text each arm names for each question."""
        settled, nearest = [], []
        for text in asked:
            found = self.memory.recall(text, gist=False)
            settled.append(self.ids[found.matches[0].id])
            nearest.append(self.ids[self.memory.nearest(text)[0]])
        frames = self.model.frames(asked).flatten(1).cpu().numpy()
        return {
            "wheeler": np.array(settled),
            "dynamics off": np.array(nearest),
            "n-gram k-NN": np.array([self.ngrams.best(text) for text in asked]),
            "BM25": np.array([self.bm25.best(text) for text in asked]),
            "classical Hopfield": self.hopfield.best(frames),
        }


def benches(
    model: WheelerTextAutoencoder, split: Split, memories: int, seeds: tuple[int, ...]
) -> list[Bench]:
    """One bench a seed."""
    found = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 17])
        texts = tell.distinct(partial(tell.draw_memory, rng, split), memories)
        found.append(Bench(model, texts, rng))
    return found


def recall_figures(
    model: WheelerTextAutoencoder,
    split: Split = "combinations",
    memories: int = MEMORIES,
    questions: int = QUESTIONS,
    seeds: tuple[int, ...] = SEEDS,
) -> list[Figure]:
    """Recall@1 under every damage; figures without a target tell what it is worth beyond them."""
    hits: dict[str, dict[str, list[float]]] = {name: {} for name in DAMAGES}
    for bench in benches(model, split, memories, seeds):
        chosen = bench.rng.choice(memories, questions, replace=False)
        for name, (ask, _) in DAMAGES.items():
            asked = [ask(bench.rng, bench.texts[k]) for k in chosen]
            for arm, named in bench.arms(asked).items():
                hits[name].setdefault(arm, []).extend((named == chosen).astype(float))
            if name.startswith(("drop", "cut")):
                best = ceiling(bench.written, asked, chosen.tolist())
                hits[name].setdefault("ceiling", []).extend(best)
    figures = []
    for name, (_, target) in DAMAGES.items():
        arms = dict(hits[name])
        own = arms.pop("wheeler")
        how = (
            f"recall@1 of {memories} remembered sentences and questions, {split}, {questions} "
            f"asked for in each of {len(seeds)} seeds; ceiling: the best possible guess from the "
            "words that are left"
        )
        figures.append(share(f"recall, {name} ({split})", own, target or 0.0, arms, how))
    return figures


def novelty_figures(
    model: WheelerTextAutoencoder,
    split: Split = "combinations",
    memories: int = MEMORIES,
    questions: int = QUESTIONS,
    seeds: tuple[int, ...] = SEEDS,
) -> list[Figure]:
    """AUROC between texts that say what is remembered in other words and texts that say another
    thing in the same words but one; and the share of paraphrases that is called NOVEL."""
    known: dict[str, list[float]] = {}
    novel: dict[str, list[float]] = {}
    states: dict[str, list[str]] = {"known": [], "novel": [], "unrelated": []}
    for bench in benches(model, split, memories, seeds):
        chosen = bench.rng.choice(memories, questions, replace=False)
        same = [str(tell.with_synonyms(bench.rng, bench.texts[k])) for k in chosen]
        other = [str(tell.with_one_changed(bench.rng, bench.texts[k], split)) for k in chosen]
        far = [str(tell.draw_memory(bench.rng, split)) for _ in chosen]
        for column, asked, kind in ((known, same, "known"), (novel, other, "novel")):
            found = [bench.memory.recall(text, gist=False) for text in asked]
            states[kind] += [recall.state for recall in found]
            column.setdefault("wheeler", []).extend(novelty_of(recall) for recall in found)
            column.setdefault("likeness alone", []).extend(r.likeness for r in found)
            column.setdefault("n-gram k-NN", []).extend(map(bench.ngrams.likeness, asked))
            column.setdefault("BM25", []).extend(map(bench.bm25.likeness, asked))
        states["unrelated"] += [bench.memory.recall(text, gist=False).state for text in far]
    areas = {arm: auroc(np.array(known[arm]), np.array(novel[arm])) for arm in known}
    called = {
        kind: round(float(np.mean([s == "NOVEL" for s in all_])), 4)
        for kind, all_ in states.items()
    }
    return [
        Figure(
            "hard novelty (one slot changed), AUROC",
            round(areas["wheeler"], 4),
            0.90,
            areas["wheeler"] >= 0.90,
            auroc_interval(np.array(known["wheeler"]), np.array(novel["wheeler"])),
            {arm: round(area, 4) for arm, area in areas.items() if arm != "wheeler"}
            | {"dynamics off": round(areas["wheeler"], 4), "classical Hopfield": None},
            n=len(known["wheeler"]),
            how=(
                "support of the least supported word: every word with a synonym replaced by one, "
                "against one word replaced by another thing; the dynamics have no part in it"
            ),
            more={"called NOVEL": called},
        )
    ]


def novelty_of(found: Recall) -> float:
    """What tells known from novel: the support of the least supported word."""
    return -1.0 if found.support is None else found.support


def auroc(known: np.ndarray, novel: np.ndarray) -> float:
    """Chance that a known text is liker to memory than a novel one; ties count half."""
    order = np.sort(novel)
    below = np.searchsorted(order, known, "left")
    upto = np.searchsorted(order, known, "right")
    return float((below + upto).mean() / 2 / len(novel))


def auroc_interval(known: np.ndarray, novel: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Bootstrap 95 % interval, both sides drawn again, 1,000 times."""
    rng = np.random.default_rng(seed)
    found = [
        auroc(rng.choice(known, len(known)), rng.choice(novel, len(novel))) for _ in range(1000)
    ]
    low, high = np.percentile(found, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)
