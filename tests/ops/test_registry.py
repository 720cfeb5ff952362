from __future__ import annotations

import logging
import sys
import time
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest
from pydantic import Field

import pixelis.ops
from pixelis.episode import Call, Observation
from pixelis.errors import ConfigError, MediaError, OpError
from pixelis.media import open_media
from pixelis.ops.arguments import Arguments
from pixelis.ops.registry import REGISTRY, Operation, Registry
from pixelis.ops.workspace import Workspace


class Count(Arguments):
    number: int = Field(description="how far", ge=0)
    word: str | None = Field(None, description="a word")


def workspace(time_limit_s: float = 60.0) -> Workspace:
    return Workspace(open_media(np.zeros((20, 40, 3), np.uint8)), time_limit_s=time_limit_s)


def registry_of(run: Any, **options: Any) -> Registry:
    registry = Registry()
    run.__doc__ = run.__doc__ or "Counts."
    registry.operation(Count, name="count", **options)(run)
    return registry


def count(space: Workspace, arguments: Count) -> Observation:
    """Count up to
    a number.

    Not told to the model.
    """
    return Observation(f"counted to {arguments.number}")


def test_the_schema_comes_from_docstring_and_arguments() -> None:
    schema = registry_of(count).schemas()[0]["function"]
    assert schema["name"] == "count"
    assert schema["description"] == "Count up to a number."
    assert schema["parameters"] == {
        "type": "object",
        "additionalProperties": False,
        "required": ["number"],
        "properties": {
            "number": {"type": "integer", "minimum": 0, "description": "how far"},
            "word": {"type": "string", "description": "a word"},
        },
    }


def test_a_call_runs_with_validated_arguments() -> None:
    observation = registry_of(count).run(Call("count", {"number": 3}), workspace())
    assert (observation.text, observation.error) == ("counted to 3", None)


@pytest.mark.parametrize(
    ("op", "arguments", "reason"),
    [
        ("count", {}, "count: argument 'number' is missing; arguments are number, word"),
        ("count", {"number": -1}, "count: argument number = -1: "),
        ("count", {"number": "x" * 99}, "count: argument number = 'xxxx"),
        ("count", {"number": 1, "n": 2}, "count: unknown argument 'n'; arguments are number, word"),
        ("count", [1], "count: arguments came as list; need an object with number, word"),
        ("cuont", {}, "cuont: no operation 'cuont'; operations are count"),
    ],
)
def test_wrong_calls_are_told_to_the_model(op: str, arguments: Any, reason: str) -> None:
    observation = registry_of(count).run(Call(op, arguments), workspace())
    assert observation.error is not None
    assert observation.error.startswith(reason)
    assert observation.text == observation.error
    assert len(observation.text) < 250


def test_video_operations_refuse_pictures() -> None:
    observation = registry_of(count, video_only=True).run(Call("count", {"number": 1}), workspace())
    assert observation.error == "count: works on videos only; this is a still picture"


@pytest.mark.parametrize("error", [OpError("too dark"), MediaError("frame 3 is damaged")])
def test_errors_for_the_model_keep_their_words(error: Exception) -> None:
    def run(space: Workspace, arguments: Count) -> Observation:
        raise error

    observation = registry_of(run).run(Call("count", {"number": 1}), workspace())
    assert observation.error == f"count: {error}"


def test_a_bug_becomes_an_observation_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    def run(space: Workspace, arguments: Count) -> Observation:
        raise KeyError("/secret/path")

    with caplog.at_level(logging.ERROR):
        observation = registry_of(run).run(Call("count", {"number": 1}), workspace())
    assert observation.error == "count: failed inside (KeyError); try other arguments"
    assert "operation count failed" in caplog.text


def test_a_failed_call_leaves_nothing_behind() -> None:
    def run(space: Workspace, arguments: Count) -> Observation:
        space.add_image(space.images[0], space.views[0])
        space.add_handle("mask")
        raise OpError("no")

    space = workspace()
    registry_of(run).run(Call("count", {"number": 1}), space)
    assert (len(space.images), len(space.views), space.handles) == (1, 1, {})
    assert space.add_handle("mask").name == "mask_1"


def test_an_operation_that_never_looks_at_the_clock_is_stopped() -> None:
    def run(space: Workspace, arguments: Count) -> Observation:
        space.add_handle("mask")
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # noqa: BLE001 - what a careless operation does
                continue

    space = workspace(time_limit_s=0.05)
    start = time.monotonic()
    observation = registry_of(run).run(Call("count", {"number": 1}), space)
    assert 1 < time.monotonic() - start < 20
    assert observation.error == "count: took longer than 0.05 s; ask for a smaller part"
    assert space.handles == {}


def test_an_operation_that_looks_at_the_clock_ends_itself() -> None:
    def run(space: Workspace, arguments: Count) -> Observation:
        while True:
            space.check_time()
            time.sleep(0.005)

    observation = registry_of(run).run(Call("count", {"number": 1}), workspace(0.05))
    assert observation.error == "count: took longer than 0.05 s; ask for a smaller part"


def test_names_are_taken_once_and_need_a_docstring() -> None:
    registry = registry_of(count)
    with pytest.raises(ConfigError, match="registered twice"):
        registry.add(Operation("count", count, Count))
    with pytest.raises(ConfigError, match="no docstring"):
        registry.add(Operation("other", lambda space, arguments: Observation(""), Count))


COUNT = Operation("count", count, Count)
SEVERAL = (COUNT, Operation("count_again", count, Count))


@pytest.mark.parametrize(("target", "names"), [("COUNT", 1), ("SEVERAL", 2)])
def test_a_plugin_brings_one_operation_or_several(
    monkeypatch: pytest.MonkeyPatch, target: str, names: int
) -> None:
    monkeypatch.setitem(sys.modules, "some_plugin", sys.modules[__name__])
    registry = Registry()
    registry.join([EntryPoint("counting", f"some_plugin:{target}", "pixelis.operations")])
    assert len(list(registry)) == names
    assert registry.run(Call("count", {"number": 3}), workspace()).text == "counted to 3"


@pytest.mark.parametrize("value", ["no_such_module:op", "math:pi", "math:nothing"])
def test_a_broken_plugin_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match=f"'counting'.*{value}.*uninstall"):
        Registry().join([EntryPoint("counting", value, "pixelis.operations")])


def test_importing_the_package_registers_the_operations() -> None:
    assert pixelis.ops.zoom
    names = {operation.name for operation in REGISTRY}
    assert {"zoom_in", "select_frames"} <= names
    for schema in REGISTRY.schemas():
        for field in schema["function"]["parameters"]["properties"].values():
            assert field["description"]
