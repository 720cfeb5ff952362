"""Settings of a command from a TOML file and `--key value` flags, checked by a pydantic model."""

from __future__ import annotations

import argparse
import difflib
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from pixelis.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def add_flags(
    parser: argparse._ActionsContainer, model: type[BaseModel], known: Collection[str] = ()
) -> None:
    """One `--key` per field of the model, and `--config FILE.toml`.

    Args:
        known: fields that another model has already brought to this parser.
    """
    if not known:
        parser.add_argument("--config", metavar="FILE.toml", help="settings to start from")
    for name, field in model.model_fields.items():
        if name in known:
            continue
        flag = "--" + name.replace("_", "-")
        shown = _default(field)
        if field.annotation in (bool, bool | None):
            parser.add_argument(
                flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=shown
            )
        elif get_origin(field.annotation) is list:
            parser.add_argument(
                flag, dest=name, metavar="VALUE", nargs="+", default=None, help=shown
            )
        else:
            parser.add_argument(flag, dest=name, metavar="VALUE", default=None, help=shown)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "one or several"
    value = field.get_default(call_default_factory=True)
    default = "default none" if value in (None, []) else f"default {value}"
    return (
        f"{field.description} ({default.replace(' ', ': ', 1)})" if field.description else default
    )


def read_settings(args: argparse.Namespace) -> dict[str, Any]:
    """What the TOML file says; empty without `--config`."""
    return _read_toml(Path(args.config)) if args.config else {}


def resolve(
    args: argparse.Namespace,
    model: type[Model],
    complete: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> Model:
    """The settings: defaults, then the TOML file, then flags; ConfigError names what is wrong.

    `complete` may add what follows from the values that were given, such as those of a preset.
    """
    values = read_settings(args)
    _refuse_unknown(values, model, args.config)
    values |= {
        name: value for name in model.model_fields if (value := getattr(args, name)) is not None
    }
    try:
        return model.model_validate(complete(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"setting {name} = {first['input']!r}: {first['msg']}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a readable TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _refuse_unknown(values: dict[str, Any], model: type[BaseModel], path: str | None) -> None:
    for key in values:
        if key not in model.model_fields:
            near = difflib.get_close_matches(key, model.model_fields, 1)
            hint = (
                f"; did you mean {near[0]!r}?"
                if near
                else f"; allowed: {', '.join(model.model_fields)}"
            )
            raise ConfigError(f"{path}: unknown setting {key!r}{hint}")
