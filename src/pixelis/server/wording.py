"""What is wrong with a request, in one sentence that says what to send instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pixelis.server.forms import whole

FORMS = re.compile(r"\[|^str$")  # in places: which of several forms was tried
LONGEST = 200
NEEDED = {
    "missing": "is missing",
    "model_attributes_type": "must be an object: {{...}}",
    "model_type": "must be an object: {{...}}",
    "dict_type": "must be an object: {{...}}",
    "list_type": "must be a list: [...]",
    "string_type": "must be text",
    "string_pattern_mismatch": "is none; send one as a reply gave it",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "literal_error": "must be one of {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have {min_length} or more letters",
    "string_too_long": "must have at most {max_length} letters",
    "too_short": "must have {min_length} or more",
    "too_long": "must have at most {max_length}",
    "extra_forbidden": "is not supported; leave it out",
}
OPEN = ("chat/completions", "models", "episodes")
STORED = ("feedback", "memory", "reviews", "versions", "decisions")


def complaint(errors: Sequence[Mapping[str, Any]], content_type: str) -> tuple[str, str]:
    """The first thing that is wrong with a request, and where; what came is not repeated.

    Args:
        errors: as pydantic tells them, the first part of each place being the request's part.
        content_type: the request's header.
    """
    # Where several forms are allowed each is told of; the deepest came nearest to being right.
    first = max(errors, key=lambda one: len(one["loc"]))
    parts = [str(part) for part in first["loc"][1:] if not FORMS.search(str(part))]
    if first["type"] == "json_invalid":
        return "the body is not JSON", "body"
    if not parts and first["loc"][:1] == ("body",):
        if first["type"] == "missing":
            return "the body is empty; send a JSON object", "body"
        if "json" not in content_type.lower():
            return "send the body as JSON, with the header Content-Type: application/json", "body"
    place = whole(".".join(parts)[:LONGEST]) or "body"
    needed = NEEDED.get(first["type"])
    if needed is not None:
        return f"{place} {needed.format(**first.get('ctx', {}))}", place
    return f"{place}: {whole(first['msg'])[:LONGEST].removeprefix('Value error, ')}", place


def no_path(path: str, remembers: bool) -> tuple[str, str]:
    """What is said of a path that is not there, and the code.

    Args:
        remembers: whether the server keeps a memory.
    """
    names = (*OPEN, *STORED) if remembers else OPEN
    if path.startswith("/v1/"):
        if not remembers and path.split("/")[2] in STORED:
            return "this server keeps no memory; start it with --store DIR", "no_store"
        if path.endswith("/"):
            return "there is no such path; leave out the slash at its end", "not_found"
    elif meant := next((name for name in names if path.rstrip("/").endswith(f"/{name}")), None):
        return f"there is no such path; did you mean /v1/{meant}?", "not_found"
    return "there is no such path; /docs lists them", "not_found"
