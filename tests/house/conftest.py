"""The parsed source of the package, once for all rules of the house."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One python file. `name` is dotted (`pixelis.ops.zoom`), `room` the part below `pixelis`."""

    path: Path
    name: str

    @property
    def room(self) -> str:
        return self.name.split(".")[1] if "." in self.name else ""

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def modules_under(folder: Path, base: Path) -> list[Module]:
    """Every python file below `folder`, named relative to `base`."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        found.append(Module(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """The package."""
    return modules_under(ROOT / "src" / "pixelis", ROOT / "src")


@pytest.fixture(scope="session")
def scripts() -> list[Module]:
    """Python beside the package: tests, benchmarks, recipes."""
    folders = [ROOT / name for name in ("tests", "benchmarks", "recipes")]
    return [module for folder in folders for module in modules_under(folder, ROOT)]
