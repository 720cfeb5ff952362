"""Files are named by one word of the field, tests like what they test."""

from __future__ import annotations

import ast
import re

BANNED = {"utils", "util", "common", "helpers", "helper", "manager", "misc", "enhanced", "robust"}
# Started as a process of its own, so no test imports it.
PROCESSES = {
    "src/pixelis/media/worker.py": "tests/media/test_isolated.py",
    "src/pixelis/online/worker.py": "tests/cli/test_evolve.py",
}
SMALL_LINES = 40  # shorter files need no tests of their own
ACROSS = {"fuzz"}  # tests of a whole room


def words(name: str) -> set[str]:
    """`OpsManager_v2` -> {ops, manager, v2}."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return set(re.split(r"[_\W]+", spaced.lower()))


def test_files_are_named_by_one_word(modules):
    named = [module for module in modules if module.path.name not in ("__init__.py", "__main__.py")]
    assert not [str(module) for module in named if not re.fullmatch(r"[a-z0-9]+", module.path.stem)]


def test_no_banned_names(modules):
    bad = [str(module) for module in modules if words(module.name) & BANNED]
    for module in modules:
        for node in ast.walk(module.tree):
            named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if named and words(node.name) & (BANNED | {"v2"}):
                bad.append(f"{module}:{node.lineno} {node.name}")
    assert not bad


def test_every_test_file_mirrors_a_source(root):
    strays = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        folder = path.parent.relative_to(root / "tests")
        if folder.parts and folder.parts[0] in ("house", "e2e"):
            continue
        word = path.stem.removeprefix("test_")
        if word in ACROSS:
            continue
        source = root / "src" / "pixelis" / folder
        if not ((source / f"{word}.py").exists() or (source / word / "__init__.py").exists()):
            strays.append(str(path.relative_to(root)))
    assert not strays, "name each test file after the source file it tests"


def test_every_source_has_its_tests(root, modules, scripts):
    """A file of its own, a test that imports it, or a tested neighbour it is a part of."""
    named = {str(module).removeprefix("tests/") for module in scripts}
    used_by_tests = {name for module in scripts for name in mentioned(module.tree)}
    tested = {
        module.name
        for module in modules
        if mirror(root, module) in named or module.name in used_by_tests
    }
    parts = {
        name
        for module in modules
        if module.name in tested
        for name in mentioned(module.tree)
        if name.startswith(f"pixelis.{module.room}.")
    }
    missing = [
        str(module)
        for module in modules
        if module.name not in tested | parts
        and not module.path.name.startswith("__")
        and not (root / PROCESSES.get(str(module), "none")).exists()
        and module.text.count("\n") > SMALL_LINES
    ]
    assert not missing


def mirror(root, module) -> str:
    inside = module.path.relative_to(root / "src" / "pixelis")
    return (inside.parent / f"test_{inside.stem}.py").as_posix()


def mentioned(tree: ast.Module) -> set[str]:
    """Dotted names that a file imports, with and without the last part."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_rule_sees_words():
    assert words("OpsManager") & BANNED
    assert words("pixelis.ops.image_utils") & BANNED
    assert not words("pixelis.ops.commonality") & BANNED
