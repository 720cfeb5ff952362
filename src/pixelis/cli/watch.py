"""`pixelis watch`: one question about many files, a row of a CSV table for each."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.model import add_model, chosen, loading, shown
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.parser import at_least, question
from pixelis.cli.progress import Progress
from pixelis.errors import ConfigError, MediaError

if TYPE_CHECKING:
    from pixelis.agent import Agent
    from pixelis.cli.table import Row, Table

ABREAST = 8  # files open at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place", metavar="FOLDER_OR_GLOB", help='a folder, or a pattern in quotes: "shop/**/*.jpg"'
    )
    parser.add_argument(
        "question", metavar="QUESTION", type=question, help="asked of every file, in quotes"
    )
    parser.add_argument(
        "--out",
        metavar="FILE.csv",
        required=True,
        help="one row per file; a run that was killed goes on from it",
    )
    add_model(parser)
    parser.add_argument(
        "--traces", metavar="DIR", help="write the trace of every file here, as .html and .json"
    )
    parser.add_argument(
        "--retry", action="store_true", help="look again at files whose row has an error"
    )
    parser.add_argument(
        "--max-steps", metavar="N", type=at_least(1), default=6, help="most steps (default: 6)"
    )
    parser.add_argument(
        "--seed", metavar="N", type=at_least(0), default=0, help="seed of the model (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    options = loading(args)
    out = Path(args.out)
    if out.suffix.lower() != ".csv" or not out.parent.is_dir():
        raise ConfigError(f"--out {out} must end in .csv and lie in a folder that exists")
    from pixelis.cli.table import Table, written
    from pixelis.media.gather import gather

    files = {written(str(path)): path for path in gather(args.place)}
    settings = {
        "question": args.question,
        "model": shown(args.model),
        "options": " ".join(f"{name}={value}" for name, value in chosen(args).items()),
        "seed": str(args.seed),
        "max_steps": str(args.max_steps),
    }
    with Table(out, settings, args.retry) as table:
        before = set(table.rows)
        todo = {name: path for name, path in files.items() if name not in before}
        if todo:
            _look_at(args, options, todo, table, len(files))
        rows = [row for name, row in table.rows.items() if name not in before]
    _conclude(args, rows, len(files) - len(todo))
    return 0


def _look_at(
    args: argparse.Namespace,
    options: dict[str, Any],
    todo: dict[str, Path],
    table: Table,
    total: int,
) -> None:
    """Asks about every file, several at a time, and keeps each row as it comes."""
    from pixelis.agent import Agent, Budget

    traces = _folder(args.traces)
    done = total - len(todo)
    wrong = 0
    with (
        Agent.load(args.model, budget=Budget(steps=args.max_steps), **options) as agent,
        Progress(Printer(), args.json, "looking", "looked at") as progress,
    ):
        look = Look(agent, table.settings, args.seed, traces)
        for row in abreast(look, list(todo.items())):
            table.add(row)
            done += 1
            wrong += bool(row.error)
            progress.tell(done, total, f"{wrong} without answer")


class Look:
    """Asks about one file and gives its row; called from several threads."""

    def __init__(
        self, agent: Agent, settings: dict[str, str], seed: int, traces: Path | None
    ) -> None:
        self.agent = agent
        self.settings = settings
        self.seed = seed
        self.traces = traces

    def __call__(self, name: str, path: Path) -> Row:
        from pixelis.cli.table import Row, row_of
        from pixelis.media import open_media

        try:
            with open_media(path) as media:
                workspace = self.agent.workspace(media)
                question = self.settings["question"]
                episode = self.agent.ask(media, question, seed=self.seed, workspace=workspace)
                trace = self._trace(name, path, episode, workspace)
        except MediaError as error:
            return Row(name, error=str(error), **self.settings)
        return row_of(name, self.settings, episode, trace)

    def _trace(self, name: str, path: Path, episode: Any, workspace: Any) -> str:
        from pixelis.trace import write

        if self.traces is None:
            return ""
        # Files of one name in several folders, or of several endings, must not share a trace.
        place = self.traces / f"{path.stem}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.html"
        write(episode, workspace, place.with_suffix(".json"), path)
        return str(write(episode, workspace, place))


def abreast(look: Callable[[str, Path], Row], todo: Sequence[tuple[str, Path]]) -> Iterator[Row]:
    """Rows as they are ready; never more than a few files are open or waited for."""
    waiting = iter(todo)
    with ThreadPoolExecutor(ABREAST, "pixelis-watch") as pool:
        running: set[Future[Row]] = {pool.submit(look, *one) for one in islice(waiting, ABREAST)}
        try:
            while running:
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(look, *one) for one in islice(waiting, len(ready))}
                for future in ready:
                    yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--traces {name} cannot be made: {error.strerror}") from error
    return folder


def _conclude(args: argparse.Namespace, rows: Sequence[Row], before: int) -> None:
    answered = sum(not row.error for row in rows)
    told = {
        "out": args.out,
        "looked_at": len(rows),
        "answered": answered,
        "errors": len(rows) - answered,
        "before": before,
    }
    if args.json:
        emit_json(told)
        return
    printer = Printer()
    earlier = f", {before} were there before" if before else ""
    files = f"{len(rows)} file{'' if len(rows) == 1 else 's'}"
    printer.line(f"looked at {files}: {answered} answered{earlier}")
    if len(rows) > answered:
        printer.line(f"{len(rows) - answered} without answer; column 'error' says why", "yellow")
    printer.field("rows in", args.out, indent=0)
