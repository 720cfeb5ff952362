"""Questions about clips, against the paths they were drawn with."""

from collections import Counter

import numpy as np
import pytest

from pixelis.data.families import time
from pixelis.data.worlds import clips, domains


@pytest.fixture(scope="module")
def films():
    return [
        clips.draw_clip(np.random.default_rng([7, k]), domains.TRAIN[k % 8], story)
        for story in clips.STORIES
        for k in range(5)
    ]


def test_every_kind_is_asked(films):
    kinds = Counter(query.kind for film in films for query in time.queries(film))
    wanted = {
        *("direction", "moves", "end_place", "leaves", "returns", "leaves_part", "leaves_frame"),
        *("hidden", "fastest", "slowest", "arrives_color", "arrives_shape", "mover_color"),
    }
    assert wanted <= set(kinds)


def test_answers_follow_from_the_paths(films):
    for film in films:
        by_color = {actor.color: actor for actor in film.actors}
        for query in time.queries(film):
            if query.kind == "fastest":
                paces = {c: time._pace(a) for c, a in by_color.items()}
                assert paces[query.answer] == max(paces.values())
            if query.kind in ("leaves", "returns", "hidden", "direction"):
                actor = by_color[query.slots["a"].split()[0]]
                if query.kind == "leaves":
                    assert (actor.why[-1] == "gone") == (query.answer == "yes")
                if query.kind == "hidden":
                    text = "".join("h" if w == "hidden" else "." for w in actor.why)
                    assert int(query.answer) == len([run for run in text.split(".") if run])
                if query.kind == "direction":
                    dx, dy = time._step(actor)
                    assert ("right" in query.answer) == (dx > 0.35 * abs(dy)) or dx == 0
                    assert not ("up" in query.answer and dy > 0)


def test_pictures_are_not_asked_about_time():
    from pixelis.data.worlds import layouts

    scene = layouts.draw_scene(np.random.default_rng(1), domains.TRAIN[0], "few")
    assert not list(time.queries(scene))
