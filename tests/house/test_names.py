"""Files are named by one word of the field, tests like what they test."""

from __future__ import annotations

import ast
import re

BANNED = {"utils", "util", "common", "helpers", "helper", "manager", "misc", "enhanced", "robust"}
# Looked after by the tests of the file that uses them, or too small to have any.
TESTED_ELSEWHERE: set[str] = set()
SMALL_LINES = 40
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


def test_every_source_has_its_tests(root, modules):
    missing = []
    for module in modules:
        inside = module.path.relative_to(root / "src" / "pixelis")
        if inside.name.startswith("__") or str(inside) in TESTED_ELSEWHERE:
            continue
        mirror = root / "tests" / inside.parent / f"test_{inside.stem}.py"
        if module.text.count("\n") > SMALL_LINES and not mirror.exists():
            missing.append(str(inside))
    assert not missing


def test_the_rule_sees_words():
    assert words("OpsManager") & BANNED
    assert words("pixelis.ops.image_utils") & BANNED
    assert not words("pixelis.ops.commonality") & BANNED
