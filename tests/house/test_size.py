"""Short files, short functions."""

from __future__ import annotations

import ast

MOST_LINES = 500
MOST_FUNCTION_LINES = 60


def functions(tree: ast.Module):
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_long_file(modules, scripts):
    lengths = {str(module): module.text.count("\n") for module in [*modules, *scripts]}
    assert not {name: n for name, n in lengths.items() if n > MOST_LINES}


def only_holds_functions(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A builder of a test that defines several small functions is no longer than those are."""
    inner = [child for child in node.body if isinstance(child, ast.FunctionDef)]
    held = sum(child.end_lineno - child.lineno + 1 for child in inner)
    return node.end_lineno - node.lineno + 1 - held <= MOST_FUNCTION_LINES // 2


def test_no_long_function(modules, scripts):
    long = [
        f"{module}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for module in [*modules, *scripts]
        for node in functions(module.tree)
        if node.end_lineno - node.lineno + 1 > MOST_FUNCTION_LINES
        and not (str(module).startswith("tests/") and only_holds_functions(node))
    ]
    assert not long


def test_there_is_something_to_measure(modules):
    assert len(modules) > 20
    assert sum(len(functions(module.tree)) for module in modules) > 50
