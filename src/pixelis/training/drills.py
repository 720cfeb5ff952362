"""Drills: exercises in words alone, which pictures give too few of.

What stands in a thought has to be copied, told apart and decided upon: whether a listed thing is of
the kind that is counted, what `below? above` comes to, what is looked up under which label. They
cost a few dozen tokens beside a picture that is paid for anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pixelis.data import phrases
from pixelis.data.plans import ASKED, Plan
from pixelis.data.solutions import decided, tally
from pixelis.data.worlds import lexicon, words
from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.sprites import SHAPES
from pixelis.models.template import call_text
from pixelis.ops.track import DIRECTIONS, PARTS

Drill = tuple[str, str]


def turn(thought: str, rest: str) -> str:
    """What the model writes in one turn."""
    return f"<think>{thought}</think>\n{rest}" if thought else rest


def ask_echo(rng: np.random.Generator) -> Drill:
    """A few words and numbers to be said again: what is looked for in a text, and what was found
    there, has to be copied, and pictures teach little of that."""
    pool = (*words.NOUNS, *words.VERBS, *words.EVERYDAY, *lexicon.GOODS, *lexicon.FIELDS)
    said = [str(rng.choice(pool)) for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < 0.4:
        said.insert(int(rng.integers(len(said) + 1)), str(int(rng.integers(1000))))
    text = " ".join(said)
    return f"Say: {text}", text


def ask_entry(rng: np.random.Generator) -> Drill:
    """A label to be looked up, whether it is there or not: the search comes first."""
    if rng.random() < 0.5:
        label = _label(rng)
        plan, kind, slots = Plan("read", label, words=(label,)), "doc_value", {"label": label}
    else:
        table = lexicon.TABLES[int(rng.integers(len(lexicon.TABLES)))]
        row, head = _label(rng, table.rows), _label(rng, tuple(table.columns))
        plan = Plan("read", f"{row}, {head}", words=(row, head))
        kind, slots = "doc_cell", {"row": row, "column": head, "direct": f"{row}, {head}"}
    slots = {key: value.lower() if rng.random() < 0.5 else value for key, value in slots.items()}
    sought = dict(zip(("find", "column"), plan.words, strict=False))
    return phrases.ask(rng, kind, slots), turn(plan.target, call_text("read_text", sought))


def _label(
    rng: np.random.Generator, known: Sequence[str] = (*lexicon.GOODS, *lexicon.FIELDS)
) -> str:
    """One that documents here have, or as often a word or two that they do not."""
    if rng.random() < 0.5:
        return str(rng.choice(known))
    said = [str(rng.choice(words.EVERYDAY)) for _ in range(1 if rng.random() < 0.7 else 2)]
    return " ".join(said).capitalize()


def ask_tally(rng: np.random.Generator) -> Drill:
    """A list of things of which some are counted: which, is decided one by one."""
    colors = rng.choice(list(COLORS), int(rng.integers(1, 4)), replace=False)
    shapes = rng.choice(list(SHAPES), int(rng.integers(1, 4)), replace=False)
    things = []
    for _ in range(int(rng.integers(2, 8))):
        x, y = (10 * int(value) for value in rng.integers(101, size=2))
        things.append((str(rng.choice(colors)), str(rng.choice(shapes)), [x, y]))
    color, shape, _ = things[int(rng.integers(len(things)))]
    target = str(rng.choice([color, shape, f"{color} {shape}", "all"]))
    asked = set(target.split())
    drawn = [
        (f"{color} {shape}", place, asked <= {color, shape, "all"})
        for color, shape, place in things
    ]
    listed = "; ".join(f"{place} {name}" for name, place, _ in drawn)
    return f"Count {target}: {listed}", turn(
        tally(target, drawn), str(sum(one[2] for one in drawn))
    )


def ask_verdict(rng: np.random.Generator) -> Drill:
    """What was asked and what was measured, in the words of a thought: what is the answer?"""
    return _tracked(rng) if rng.random() < 0.35 else _measured(rng)


def _tracked(rng: np.random.Generator) -> Drill:
    """Of a clip: does it move, is it gone, does it come back?"""
    field = str(rng.choice(["moves", "leaves", "returns"]))
    if field == "moves":
        found = str(rng.choice(["still", str(rng.choice(DIRECTIONS))]))
        answer = found != "still"
    else:
        times = int(rng.integers(1, 4))
        lost = f"lost {times} time{'s' * (times > 1)}"
        gone = f"{lost}, gone from the {rng.choice(PARTS)} on"
        found = str(rng.choice(["never lost", f"{lost}, found again", gone]))
        came_back = found.endswith("found again") or (found == gone and times > 1)
        answer = found == gone if field == "leaves" else came_back
    thought = f"{Plan('follow', field=field).asked}? {found}"
    return f"Decide: {thought}", turn(thought, "yes" if answer else "no")


def _measured(rng: np.random.Generator) -> Drill:
    field = str(rng.choice([key for key in ASKED if key != "area_px"]))
    measured = str(rng.choice(ASKED[field]))
    kind = "side" if field in "xy" else "compare"
    say = str(rng.choice(["yes_more", "yes_less", "yes_more", "yes_less", "more", "less", "words"]))
    if say == "words":
        said = ASKED[field] if rng.random() < 0.5 else ("A", "B")
        plan = Plan(kind, words=said, field=field, say=say)
    else:
        names = tuple(str(v) for v in rng.choice((*COLORS, *SHAPES), 2, replace=False))
        plan = Plan(kind, names=names, field=field, say=say)
    thought = f"{plan.asked}? {measured}"
    return f"Decide: {thought}", turn(thought, decided(plan, measured == ASKED[field][1]))


DRILLS: dict[Callable[[np.random.Generator], Drill], float] = {
    ask_echo: 0.35,
    ask_entry: 0.25,
    ask_tally: 0.2,
    ask_verdict: 0.2,
}


def ask(rng: np.random.Generator) -> Drill:
    """One of them, each as often as its share."""
    made = list(DRILLS)
    return made[int(rng.choice(len(made), p=list(DRILLS.values())))](rng)
