"""`pixelis serve`: the agent behind an OpenAI-compatible API, and the Studio page."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pixelis.cli.config import add_flags, resolve
from pixelis.cli.journal import keep_journal
from pixelis.cli.model import add_model, loading
from pixelis.cli.output import Printer
from pixelis.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from pixelis.agent import Agent
    from pixelis.server.archive import Archive
    from pixelis.server.keeper import Keeper
    from pixelis.server.keys import Keys
    from pixelis.server.runs import Runs
    from pixelis.server.settings import Settings

KEY = "PIXELIS_API_KEY"
RUNS = "runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--also",
        metavar="MODEL",
        action="append",
        default=[],
        help="serve this model, too; may be given several times",
    )
    parser.add_argument(
        "--store", metavar="DIR", help="folder of a memory, where feedback and reviews are kept"
    )
    parser.add_argument(
        "--learn",
        metavar="FILE.toml",
        nargs="?",
        const="",
        help="learn from what is asked of the first model, into the store; FILE.toml has settings "
        "as 'pixelis evolve' takes them",
    )
    parser.add_argument(
        "--evals",
        metavar="DIR",
        help=f"folder whose finished evaluation runs the Studio shows (default: {RUNS})",
    )
    add_listening(parser)
    parser.set_defaults(run=run)


def add_listening(parser: argparse.ArgumentParser) -> None:
    """Where to listen, for whom, and how much to take on."""
    from pixelis.server.settings import Settings

    parser.add_argument(
        "--api-key",
        metavar="KEY",
        help=f"ask every client for this key (default: ${KEY}, or none on 127.0.0.1)",
    )
    parser.add_argument(
        "--keys", metavar="FILE.toml", help="several keys with roles: ask, review, admin"
    )
    parser.add_argument(
        "--log", metavar="FILE", help="one JSON line for each request (default: standard output)"
    )
    add_flags(parser, Settings)


def run(args: argparse.Namespace) -> int:
    require_extra()
    from pixelis.server.settings import Settings

    settings = resolve(args, Settings)
    keys = keys_of(args, settings)
    runs = _runs(args)
    options = loading(args)
    from pixelis.server.listen import bound

    printer = Printer()
    with ExitStack() as open_things:
        listener = open_things.enter_context(bound(settings))  # told before anything is loaded
        agents: dict[str, Agent] = {}
        for spec in [args.model, *args.also]:
            printer.field("loading", spec, "dim", indent=0)
            agent = open_things.enter_context(_agent(spec, settings, options))
            agents[_name(agent, agents)] = agent
        open_things.enter_context(keep_journal(args.log))
        keeper, archive = _keeper(args, next(iter(agents.values()))), None
        if args.store:
            from pixelis.server.archive import Archive

            archive = open_things.enter_context(closing(Archive(Path(args.store))))
        _serve(listener, agents, settings, keys, archive, keeper, runs)
    with contextlib.suppress(OSError):  # whoever read this has left
        printer.line("stopped", "dim")
    return 0


def _serve(
    listener: socket.socket,
    agents: dict[str, Agent],
    settings: Settings,
    keys: Keys,
    archive: Archive | None,
    keeper: Keeper | None,
    runs: Runs,
) -> None:
    from pixelis.server.app import build
    from pixelis.server.listen import listen

    printer = Printer()
    app, office = build(agents, settings, keys, archive, keeper, runs)

    def ready(address: str) -> None:
        printer.field("studio", address, "bold", indent=0)
        printer.field("api", f"{address}v1", indent=0)
        printer.field("models", ", ".join(agents), indent=0)
        told = "asked for" if keys else "none is asked for; only this machine can reach it"
        printer.field("keys", told, indent=0)
        learning = "kept, and learned from" if keeper and keeper.config.learn else "kept"
        printer.field("memory", "none" if archive is None else learning, indent=0)
        printer.field("evals", f"finished runs in {runs.folder}", indent=0)

    say = partial(printer.field, "stopping", indent=0)
    listen(listener, app, settings, ready, office.desk, say, end_at_once)


def end_at_once() -> None:
    """As if killed, which loses nothing that was acknowledged."""
    os._exit(128 + signal.SIGINT)


def _runs(args: argparse.Namespace) -> Runs:
    """The evaluation runs; ConfigError for a folder that was named and is not there."""
    from pixelis.server.runs import Runs

    folder = Path(args.evals or RUNS)
    if args.evals is not None and not folder.is_dir():
        raise ConfigError(
            f"--evals {args.evals}: there is no such folder; give one that 'pixelis eval --out' "
            "wrote into"
        )
    return Runs(folder)


def _keeper(args: argparse.Namespace, agent: Agent) -> Keeper | None:
    """What follows the store's versions and learns; None without --store."""
    if not args.store:
        if args.learn is not None:
            raise ConfigError("--learn needs --store DIR, where it keeps what it learns")
        return None
    from pixelis.online.settings import EvolveConfig
    from pixelis.server.keeper import Keeper

    given = argparse.Namespace(config=args.learn or None)
    for name in EvolveConfig.model_fields:
        setattr(given, name, None)
    given.model, given.learn = args.model, args.learn is not None
    return Keeper(agent, Path(args.store), resolve(given, EvolveConfig))


def keys_of(args: argparse.Namespace, settings: Settings) -> Keys:
    """The keys of the flags and of the environment; ConfigError when the world could come in."""
    from pixelis.server.keys import Keys, read_keys, single

    given = args.api_key if args.api_key is not None else os.environ.get(KEY)
    keys = Keys(
        [
            *([single(given)] if given is not None else []),
            *(read_keys(Path(args.keys)) if args.keys else []),
        ]
    )
    if not keys and not settings.loopback:
        raise ConfigError(
            f"--host {settings.host} can be reached from other machines, so a key is needed; "
            f"give --api-key, --keys or ${KEY}"
        )
    return keys


def require_extra() -> None:
    """MissingExtraError when the packages of the server are not installed."""
    from importlib.util import find_spec

    for module in ("fastapi", "uvicorn", "prometheus_client", "mcp"):
        if find_spec(module) is None:
            raise MissingExtraError(module, "serve")


def _agent(spec: str, settings: Settings, options: dict) -> Agent:
    from pixelis.agent import Agent

    return Agent.load(spec, concurrency=settings.concurrency, **options)


def _name(agent: Agent, taken: dict[str, Agent]) -> str:
    """What clients call it: its own name, with a number when that is taken."""
    name = agent.policy.name or "model"
    number = 2
    while name in taken:
        name = f"{agent.policy.name}-{number}"
        number += 1
    return name
