from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.errors import DataError
from pixelis.geometry import Box, Size, View

numbers = st.floats(-1e6, 1e6, allow_nan=False)
names = st.text(max_size=12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(names, plain, max_size=3)
shares = st.none() | st.floats(0, 1)
boxes = st.builds(Box, numbers, numbers, numbers, numbers)
sizes = st.builds(Size, st.integers(1, 9999), st.integers(1, 9999))
views = st.builds(View, boxes, sizes, st.none() | st.integers(0, 999))
observations = st.builds(
    Observation,
    text=names,
    error=st.none() | names,
    image=st.none() | st.integers(0, 20),
    view=st.none() | views,
    box=st.none() | boxes,
    handle=st.none() | names,
    confidence=shares,
    data=objects,
)
answers = st.builds(
    Answer,
    text=names,
    raw=names,
    evidence=st.lists(names, max_size=3).map(tuple),
    confidence=shares,
    known=st.booleans(),
)
steps = st.builds(
    Step,
    thought=names,
    call=st.none() | st.builds(Call, names, objects),
    observation=st.none() | observations,
    answer=st.none() | answers,
    text=names,
    notice=st.none() | names,
    tokens=st.integers(0, 10**6),
    confidence=shares,
)
media = st.builds(
    Media,
    kind=st.sampled_from(["picture", "video"]),
    name=names,
    size=sizes,
    sha256=names,
    frames=st.integers(0, 10**6),
    seconds=numbers,
)
episodes = st.builds(
    Episode,
    question=names,
    media=media,
    seed=st.integers(0, 2**31),
    steps=st.lists(steps, max_size=3).map(tuple),
    answer=st.none() | answers,
    ended=st.sampled_from(["answered", "steps", "loop", "running"]),
    seconds=numbers,
    meta=objects,
)


def small() -> Episode:
    step = Step(
        thought="look closer",
        call=Call("zoom_in", {"bbox_2d": [1, 2, 3, 4]}),
        observation=Observation(
            "crop_1", image=1, view=View(Box(0, 0, 8, 8), Size(32, 32)), box=Box(0, 0, 8, 8)
        ),
    )
    return Episode("What is it?", Media("picture", "a.png", Size(8, 8), "00")).with_step(step)


@given(episodes)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=25)
def test_json_and_back_is_the_same_episode(episode: Episode) -> None:
    again = Episode.from_json(episode.to_json())
    assert again == episode
    assert again.to_json() == episode.to_json()
    assert Episode.from_json(episode.to_json(indent=2)) == episode


def test_types_come_back() -> None:
    again = Episode.from_json(small().to_json())
    view = again.observations[0].view
    assert isinstance(again.steps, tuple)
    assert isinstance(view, View)
    assert isinstance(view.box, Box)
    assert isinstance(again.media.size, Size)
    assert again.calls == (Call("zoom_in", {"bbox_2d": [1, 2, 3, 4]}),)


def without(record: dict[str, Any], *path: str | int) -> dict[str, Any]:
    place: Any = record
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return record


def replaced(record: dict[str, Any], value: object, *path: str | int) -> dict[str, Any]:
    place: Any = record
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return record


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("question",), 7, "question"),
        (("ended",), "bored", "ended"),
        (("media", "kind"), "sound", "media.kind"),
        (("media", "size"), [1], "media.size"),
        (("steps", 0, "call", "op"), None, "steps.0.call.op"),
        (("steps", 0, "observation", "view", "box"), [1, 2, 3], "steps.0.observation.view.box"),
        (("steps", 0, "tokens"), "many", "steps.0.tokens"),
        (("steps",), 5, "steps"),
        (("seed",), 1.5, "seed"),
    ],
)
def test_a_bad_field_is_named(path: tuple[str | int, ...], value: object, field: str) -> None:
    with pytest.raises(DataError) as caught:
        Episode.from_dict(replaced(small().to_dict(), value, *path))
    assert str(caught.value).startswith(f"episode field {field}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", [("question",), ("media",), ("media", "sha256")])
def test_a_missing_field_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="episode field " + r"\.".join(path)):
        Episode.from_dict(without(small().to_dict(), *path))


@pytest.mark.parametrize(
    "text", ["", "{", b"\xff\xfe", b"{\xff}", "[" * 100_000, "[]", "5", "null"]
)
def test_what_is_no_episode(text: str | bytes) -> None:
    with pytest.raises(DataError):
        Episode.from_json(text)


def test_calls_that_ask_the_same_have_the_same_key() -> None:
    first = Call("zoom_in", {"bbox_2d": [1, 2, 3, 4], "image": 0})
    assert first.key() == Call("zoom_in", {"image": 0, "bbox_2d": [1, 2, 3, 4]}).key()
    assert first.key() != Call("zoom_in", {"image": 1, "bbox_2d": [1, 2, 3, 4]}).key()
    assert first.key() != Call("read_text", {"bbox_2d": [1, 2, 3, 4], "image": 0}).key()


def test_a_step_longer_leaves_the_episode_as_it_was() -> None:
    episode = small()
    assert len(episode.with_step(Step("again")).steps) == len(episode.steps) + 1 == 2
    assert json.loads(episode.to_json())["steps"][0]["thought"] == "look closer"
