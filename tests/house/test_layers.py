"""Four floors: imports go down or stay level, and the first floor needs almost nothing."""

from __future__ import annotations

import ast
import sys

FLOORS = {
    1: {"errors", "geometry", "episode", "sequential", "answers", "rewards", "evolve"},
    2: {"media", "ops", "models", "agent", "trace", "memory", "wheeler"},
    3: {"data", "training", "online", "evals"},
    4: {"cli", "server", "", "__main__"},  # "" is what `import pixelis` offers
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
FIRST_FLOOR_NEEDS = {"numpy", "pydantic", "pixelis"}
IMPURE = {"os", "subprocess", "socket", "pathlib", "tempfile", "shutil", "time", "threading"}


def imported(tree: ast.Module, package: str) -> list[tuple[int, str]]:
    """(line, dotted name) of every import, those inside functions and TYPE_CHECKING included."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                outer = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*outer, base]).strip(".")
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def imports_of(module):
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    return imported(module.tree, package)


def test_every_room_has_a_floor(modules):
    assert {module.room for module in modules} <= set(FLOOR), "name the new room in FLOORS"


def test_imports_never_go_up(modules):
    upward = []
    for module in modules:
        for line, name in imports_of(module):
            parts = name.split(".")
            if parts[0] != "pixelis":
                continue
            room = parts[1] if len(parts) > 1 and parts[1] in FLOOR else ""
            if FLOOR[room] > FLOOR[module.room]:
                upward.append(f"{module}:{line} imports {name}")
    assert not upward


def test_first_floor_is_pure(modules):
    allowed = (sys.stdlib_module_names - IMPURE) | FIRST_FLOOR_NEEDS
    strange = [
        f"{module}:{line} imports {name}"
        for module in modules
        if FLOOR[module.room] == 1
        for line, name in imports_of(module)
        if name.split(".")[0] not in allowed
    ]
    assert not strange


def test_only_doors_print_or_exit(modules):
    worker = "src/pixelis/media/worker.py:"  # ends its own process, which decodes one file
    loud = []
    for module in modules:
        if FLOOR[module.room] == 4:
            continue
        for node in ast.walk(module.tree):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("print", "sys.exit", "exit", "quit", "os._exit"):
                loud.append(f"{module}:{node.lineno} calls {called}")
    assert not [place for place in loud if not place.startswith(worker)]


def test_the_rule_sees_hidden_imports():
    source = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from pixelis.cli import main\n"
        "def f():\n    from ..ops import zoom\n    import pixelis.evals.report\n"
    )
    names = [name for _, name in imported(ast.parse(source), "pixelis.answers")]
    assert names == [
        "typing.TYPE_CHECKING",
        "pixelis.cli.main",
        "pixelis.ops.zoom",
        "pixelis.evals.report",
    ]
