"""Servers for the tests of this folder; `rig` holds what they are made of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from pixelis.agent import Agent
from pixelis.server.keys import Keys
from pixelis.server.settings import Settings

_spec = spec_from_file_location("server_rig", Path(__file__).with_name("rig.py"))
rig = sys.modules["server_rig"] = module_from_spec(_spec)
_spec.loader.exec_module(rig)


@pytest.fixture
def serve() -> Iterator[rig.Serve]:
    """Starts servers around policies; they end with the test."""
    with ExitStack() as stack:

        def start(
            *policies: Any,
            keys: Keys | None = None,
            archive: Any = None,
            runs: Any = None,
            **settings: Any,
        ) -> rig.Served:
            agents = {p.name: stack.enter_context(Agent(p)) for p in policies or (rig.Slow(),)}
            chosen = Settings(port=0, **{"grace_s": 2, **settings})
            parts = {"archive": archive, "runs": runs}
            return stack.enter_context(rig.running(agents, chosen, keys or Keys(), **parts))

        yield start


@pytest.fixture(scope="session")
def nano() -> Iterator[rig.Served]:
    """The bundled model, served without keys."""
    with (
        Agent.load("nano") as agent,
        rig.running({"nano": agent}, Settings(port=0), Keys()) as served,
    ):
        yield served


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run, `small`."""
    folder = tmp_path_factory.mktemp("evaluated")
    rig.make_run(folder / "small")
    return folder
