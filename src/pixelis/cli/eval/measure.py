"""Asks a benchmark: one run, or a table of runs under several conditions."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.eval import options, tables
from pixelis.cli.eval.options import Cell
from pixelis.cli.model import chosen, loading, shown
from pixelis.cli.output import Printer, emit_json
from pixelis.cli.progress import Progress
from pixelis.errors import MediaError, PixelisError

if TYPE_CHECKING:
    from pixelis.evals.controls import Asker
    from pixelis.evals.question import Benchmark, Grader
    from pixelis.evals.results import Result


def run(args: argparse.Namespace) -> int:
    """Measures, writes reports where --out says, prints figures or JSON."""
    settings = loading(args)
    rows = options.cells(args)
    with ExitStack() as stack:
        work = (
            Path(args.out) / "media"
            if args.out
            else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pixelis-media-")))
        )
        benchmark = options.benchmark(args, work)
        room = stack.enter_context(_Room(args, settings))
        summaries, everything = {}, {}
        for cell in rows:
            out = _folder(args, cell, len(rows))
            results = _measure(args, cell, benchmark, room, out)
            summary = _summarize(args, cell, benchmark, results)
            summaries[cell.label], everything[cell.label] = summary, results
            if out:
                _write(args, cell, benchmark, out, summary, results, room)
    if len(rows) == 1:
        [summary] = summaries.values()
        emit_json(summary) if args.json else tables.one(Printer(), summary, args.out)
        return 0
    document = tables.gather(summaries, everything)
    if args.out:
        tables.write(Path(args.out), document)
    emit_json(document) if args.json else tables.several(Printer(), document, args.out)
    return 0


class _Room:
    """Policies and agents of a command, each loaded once and closed at its end."""

    def __init__(self, args: argparse.Namespace, settings: dict[str, Any]) -> None:
        self.args = args
        self.settings = dict(settings)
        self.dialect = self.settings.pop("dialect", None)
        self.policies: dict[str, Any] = {}
        self.agents: list[Any] = []
        self._grader: Grader | None = None

    def __enter__(self) -> _Room:
        return self

    def __exit__(self, *error: object) -> None:
        for agent in self.agents:
            agent.close()

    def registry(self, cell: Cell, seed: int) -> Any:
        from pixelis.ops.registry import REGISTRY

        if cell.control != "random_crop":
            return REGISTRY
        from pixelis.evals.controls import RandomCrops

        return RandomCrops(REGISTRY, seed)

    def asker(self, cell: Cell, seed: int) -> Asker:
        """Who answers under a cell's control."""
        from pixelis.evals.controls import agent_asker, oracle_asker

        if cell.control == "oracle":
            from pixelis.data.oracle import solve

            return oracle_asker(solve, self.registry(cell, seed))
        from pixelis.agent import Agent
        from pixelis.models.policy import Sampling

        agent = Agent(self.policy(cell.model), self.registry(cell, seed), dialect=self.dialect)
        self.agents.append(agent)
        control = "none" if cell.control == options.TWIN else cell.control
        sampling = Sampling(temperature=self.args.temperature)
        return agent_asker(agent, control, seed, sampling)

    def policy(self, spec: str) -> Any:
        if spec not in self.policies:
            from pixelis.models.load import load_policy

            self.policies[spec] = load_policy(spec, **self.settings)
        return self.policies[spec]

    @property
    def grader(self) -> Grader | None:
        """The judge, when one was named."""
        if self.args.judge and self._grader is None:
            from pixelis.evals.judge import ModelJudge
            from pixelis.models.load import load_policy

            self._grader = ModelJudge(load_policy(self.args.judge), shown(self.args.judge))
        return self._grader


class _Score:
    """Tells how many answers of this run were right so far; kept ones are not counted again."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.right = self.seen = 0

    def tell(self, result: Result, done: int, total: int) -> None:
        self.seen += 1
        self.right += result.correct
        new = "" if done == self.seen else f" of {self.seen} new"
        self.progress.tell(done, total, f"{100 * self.right / self.seen:.1f} % right{new}")


def _folder(args: argparse.Namespace, cell: Cell, count: int) -> Path | None:
    if not args.out:
        return None
    return Path(args.out) / cell.label if count > 1 else Path(args.out)


def _measure(
    args: argparse.Namespace, cell: Cell, benchmark: Benchmark, room: _Room, out: Path | None
) -> list[Result]:
    """The results of one cell, one seed after another."""
    from pixelis.evals.inspection import Limits, evaluate

    asked = _spoiled(benchmark, cell)
    seeds = options.seeds(args)
    limits = Limits(seconds=args.time_limit, abreast=2 if cell.control == "oracle" else 64)
    results: list[Result] = []
    for seed in seeds:
        folder = out / f"seed-{seed}" if out and len(seeds) > 1 else out
        doing = "asking" if cell.label == "none" else f"asking ({cell.label})"
        with Progress(Printer(), args.json, doing, "asked") as progress:
            found = evaluate(
                asked,
                room.asker(cell, seed),
                options.settings(args, cell, seed),
                folder,
                _Score(progress).tell,
                limits=limits,
                grader=room.grader,
            )
        results += [replace(result, seed=seed) for result in found]
    return results


def _spoiled(benchmark: Benchmark, cell: Cell) -> Benchmark:
    if not cell.spoil:
        return benchmark
    from pixelis.evals.spoil import read_spoil, spoiled

    return spoiled(benchmark, *read_spoil(cell.spoil))


def _summarize(
    args: argparse.Namespace, cell: Cell, benchmark: Benchmark, results: Sequence[Result]
) -> dict[str, Any]:
    from pixelis.evals.exams import exam_of, model_of, read_manifest
    from pixelis.evals.provenance import together, weights_hash
    from pixelis.evals.report import circular, official, summarize, unanswered

    weights = None if cell.control == "oracle" else weights_hash(cell.model)
    facts = {
        "model": shown(cell.model),
        "control": cell.control,
        **({} if cell.control == "oracle" else chosen(args)),
        "benchmark": benchmark.name,
        "settings": {**benchmark.settings, **({"spoil": cell.spoil} if cell.spoil else {})},
        "frozen": benchmark.frozen and not cell.spoil,
        "model_hash": weights,
        "command": shlex.join(["pixelis", *_words(args, sys.argv[1:])]),
        "commit": together(result.commit for result in results),
    }
    if args.temperature > 0:
        facts["temperature"] = args.temperature
    if args.judge:
        facts["judge"] = shown(args.judge)
    if args.benchmark in options.PUBLISHED:
        from pixelis.evals.benchmarks.catalog import CATALOG

        metric = CATALOG[args.benchmark].metric
        facts["official"] = official(results, benchmark.official, metric)
        rotated = circular(results)
        facts |= {} if rotated is None else {"circular": rotated}
    summary = summarize(results, **facts)
    manifest = read_manifest()
    summary["exam"] = exam_of(summary["data_hash"], manifest)
    summary["frozen_model"] = model_of(weights, manifest)
    summary["notes"] = _notes(args, benchmark, summary) + unanswered(results)
    return summary


def _notes(args: argparse.Namespace, benchmark: Benchmark, summary: dict[str, Any]) -> list[str]:
    """What to know before believing a figure."""
    notes = list(benchmark.notes)
    if args.benchmark == "mmvet":
        from pixelis.evals.benchmarks.catalog import NO_JUDGE

        graded = "graded once by {}; the authors take the mean of five gradings"
        notes.append(graded.format(shown(args.judge)) if args.judge else NO_JUDGE)
    if args.benchmark == "worlds" and summary["frozen"] and summary["exam"] is None:
        notes.append(
            "not an exam whose hash is known: of the frozen exams only the first 100, 200, ... "
            "questions of all families are"
        )
    return notes


def _words(args: argparse.Namespace, words: Sequence[str]) -> list[str]:
    """The command line without a server's password, which may stand in a model's address."""
    for spec in filter(None, (args.model, args.twin, args.judge)):
        words = [word.replace(spec, shown(spec)) for word in words]
    return list(words)


def _write(
    args: argparse.Namespace,
    cell: Cell,
    benchmark: Benchmark,
    out: Path,
    summary: dict[str, Any],
    results: Sequence[Result],
    room: _Room,
) -> None:
    from pixelis.evals.report import worst, write_report

    asked = _spoiled(benchmark, cell)
    places = {name: index for index, name in enumerate(asked.ids)}

    def media_of(result: Result) -> Any:
        return asked.load(places[result.id]).media

    registry = room.registry(cell, options.seeds(args)[0])
    traces: dict[tuple[str, int], str] = {}
    for result in worst(results, args.traces):
        name = _trace(result, media_of(result), out / "traces", registry)
        traces |= {(result.id, result.seed): f"traces/{name}"} if name else {}
    write_report(out, summary, results, _pictures(media_of), traces)


def _trace(result: Result, media: Any, folder: Path, registry: Any) -> str | None:
    """Writes a failure's trace and gives its name; None when there is nothing to show."""
    from pixelis.agent.save import save
    from pixelis.episode import Episode
    from pixelis.evals.report import trace_name

    episode = Episode.from_dict(result.episode)
    if not episode.media.sha256:
        return None
    name = trace_name(result.id, result.seed)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        save(episode, folder / name, media, registry)
    except PixelisError:  # told by the report's own steps; a trace is an extra
        return None
    return name


def _pictures(media_of: Any) -> Any:
    """Gives the picture behind a result, for the report; None for a video."""
    from PIL import Image

    from pixelis.media import Picture, open_media

    def picture(result: Result) -> Image.Image | None:
        try:
            media = open_media(media_of(result))
        except MediaError:
            return None
        return media.image if isinstance(media, Picture) else None

    return picture
