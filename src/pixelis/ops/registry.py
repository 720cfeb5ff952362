"""The one registry of visual operations: registration, schemas for the model, safe running."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from pixelis.episode import Call, Observation
from pixelis.errors import ConfigError, MediaError, OpError
from pixelis.media import Video
from pixelis.ops.watchdog import WATCHDOG, Overtime
from pixelis.ops.workspace import Workspace

ENTRY_POINTS = "pixelis.operations"
# An operation that watches the clock ends itself with its own words first.
GRACE_S = 1.0
log = logging.getLogger(__name__)

Run = Callable[[Workspace, Any], Observation]


@dataclass(frozen=True)
class Operation:
    """A named visual function the model can call.

    Attributes:
        run: `run(workspace, arguments) -> Observation`; raises OpError for what the model can mend.
        arguments: pydantic model of the arguments, one documented field each.
        video_only: True for operations that make no sense on a still picture.
    """

    name: str
    run: Run
    arguments: type[BaseModel]
    video_only: bool = False

    @cached_property
    def summary(self) -> str:
        """First paragraph of the docstring: what the model is told the operation does."""
        return " ".join(inspect.cleandoc(self.run.__doc__ or "").split("\n\n")[0].split())

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema in the OpenAI function shape, from the docstring and argument model."""
        parameters = self.arguments.model_json_schema()
        parameters.pop("title", None)
        parameters.pop("description", None)
        fields = parameters.get("properties", {})
        parameters["properties"] = {name: _plain(field) for name, field in fields.items()}
        function = {"name": self.name, "description": self.summary, "parameters": parameters}
        return {"type": "function", "function": function}


class Registry:
    """Operations by name; plugins from the entry-point group `pixelis.operations` join lazily."""

    def __init__(self, plugins: bool = False) -> None:
        self._operations: dict[str, Operation] = {}
        self._plugins_wanted = plugins

    def add(self, operation: Operation) -> Operation:
        """Registers; ConfigError when the name is taken or the docstring is missing."""
        if operation.name in self._operations:
            raise ConfigError(f"operation {operation.name!r} is registered twice; rename one")
        if not operation.summary:
            raise ConfigError(f"operation {operation.name!r} has no docstring; the model needs one")
        self._operations[operation.name] = operation
        return operation

    def operation(
        self, arguments: type[BaseModel], *, name: str | None = None, video_only: bool = False
    ) -> Callable[[Run], Run]:
        """Decorator that registers `run(workspace, arguments)` under its own name."""

        def register(run: Run) -> Run:
            self.add(Operation(name or run.__name__, run, arguments, video_only))
            return run

        return register

    def get(self, name: str) -> Operation:
        """The operation called `name`; OpError that lists the names."""
        self._load_plugins()
        if name not in self._operations:
            raise OpError(f"no operation {name!r}; operations are {', '.join(self._operations)}")
        return self._operations[name]

    def __iter__(self) -> Iterator[Operation]:
        self._load_plugins()
        return iter(self._operations.values())

    def schemas(self) -> list[dict[str, Any]]:
        """What is shown to the model, one entry per operation."""
        return [operation.schema for operation in self]

    def run(self, call: Call, workspace: Workspace) -> Observation:
        """Runs a call; every failure comes back as an error observation, never as an exception.

        An operation that outlives the workspace's time limit is stopped. A failed call leaves no
        image and no handle behind.
        """
        mark = workspace.mark()
        try:
            operation = self.get(call.op)
            if operation.video_only and not isinstance(workspace.media, Video):
                raise OpError("works on videos only; this is a still picture")
            arguments = _validate(operation, call.arguments)
        except OpError as error:
            return failed(call.op, str(error))
        observation = _run_guarded(operation, workspace, arguments)
        if observation.error is not None:
            workspace.rollback(mark)
        return observation

    def _load_plugins(self) -> None:
        if not self._plugins_wanted:
            return
        self._plugins_wanted = False
        self.join(entry_points(group=ENTRY_POINTS))

    def join(self, plugins: Iterable[EntryPoint]) -> None:
        """Adds the operations (one, or several in an iterable) that each entry point names.

        ConfigError naming the plugin that cannot be loaded or gives something else.
        """
        for plugin in plugins:
            try:
                loaded = plugin.load()
                for operation in [loaded] if isinstance(loaded, Operation) else loaded:
                    self.add(operation)
            except Exception as error:  # named door: whatever a plugin's own code raises
                raise ConfigError(
                    f"operation plugin {plugin.name!r} ({plugin.value}) cannot be used "
                    f"({type(error).__name__}: {error}); mend or uninstall it"
                ) from error


def _run_guarded(operation: Operation, workspace: Workspace, arguments: BaseModel) -> Observation:
    workspace.start_clock()
    try:
        with WATCHDOG.limit(workspace.time_limit_s + GRACE_S):
            return operation.run(workspace, arguments)
    except Overtime:
        return failed(operation.name, str(workspace.too_late()))
    except (OpError, MediaError) as error:
        return failed(operation.name, str(error))
    except Exception as error:  # named door: a bug in an operation must not end the episode
        log.exception("operation %s failed", operation.name)
        reason = f"failed inside ({type(error).__name__}); try other arguments"
        return failed(operation.name, reason)


def failed(op: str, reason: str) -> Observation:
    """The observation that tells the model what was wrong."""
    message = reason if reason.startswith(f"{op}: ") else f"{op}: {reason}"
    return Observation(text=message, error=message)


def _validate(operation: Operation, arguments: Mapping[str, Any]) -> BaseModel:
    if not isinstance(arguments, Mapping):
        names = ", ".join(_names(operation))
        raise OpError(f"arguments came as {type(arguments).__name__}; need an object with {names}")
    try:
        return operation.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        raise OpError(_explain(operation, error)) from error


def _explain(operation: Operation, error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "arguments"
    fields = ", ".join(_names(operation))
    if first["type"] == "extra_forbidden":
        return f"unknown argument {name!r}; arguments are {fields}"
    if first["type"] == "missing":
        return f"argument {name!r} is missing; arguments are {fields}"
    came = repr(first["input"])
    came = came if len(came) <= 60 else came[:57] + "..."
    message = first["msg"].removeprefix("Value error, ")
    return f"argument {name} = {came}: {message}; arguments are {fields}"


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    """A field's schema in as few words as possible: no title, no `or null` of optional fields."""
    choices = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    plain = {key: value for key, value in field.items() if key != "title"}
    if len(choices) == 1:
        del plain["anyOf"]
        plain = {**choices[0], **plain}
    if plain.get("default", ...) is None:
        del plain["default"]
    return plain


def _names(operation: Operation) -> list[str]:
    """The arguments as the model writes them (a field may go by an alias)."""
    return list(operation.schema["function"]["parameters"].get("properties", {}))


REGISTRY = Registry(plugins=True)
operation = REGISTRY.operation
