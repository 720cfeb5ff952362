"""`pixelis evolve`: answers a stream of questions, remembers them, and learns when told to."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.config import add_flags, resolve
from pixelis.cli.output import Printer
from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.online.service import Reply, Service
    from pixelis.online.stream import Record

UNCALIBRATED = (
    "learning without --calibration: the model's own confidence decides what is learned; fit one: "
    "pixelis gauge"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags come from the settings model."""
    parser.add_argument("stream", metavar="STREAM.jsonl", help="questions, one JSON object a line")
    parser.add_argument("--store", metavar="DIR", required=True, help="folder of the store")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON line for each acknowledged answer"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="after the last question, stay until the learner has emptied its queue",
    )
    parser.add_argument(
        "--allow-download", action="store_true", help="let hf:ID fetch a checkpoint from the hub"
    )
    parser.add_argument("--offline", action="store_true", help="fetch nothing (the default)")
    from pixelis.online.settings import EvolveConfig

    add_flags(parser, EvolveConfig)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from pixelis.online.settings import EvolveConfig

    config = resolve(args, EvolveConfig)
    stream = Path(args.stream)
    if not stream.is_file():
        raise ConfigError(f"{stream}: no such file; give a stream of questions in JSONL")
    from pixelis.agent import Agent
    from pixelis.online.service import Service, tokenizer_of
    from pixelis.online.stream import read_stream

    options: dict[str, Any] = {"allow_download": args.allow_download}
    with until_terminated() as stop, Agent.load(config.model, **options) as agent:
        decode = tokenizer_of(agent)
        with Service(agent, args.store, config) as service:
            if config.learn and config.calibration is None and not args.json:
                Printer().line(UNCALIBRATED, "yellow")
            records = Until(stop, read_stream(stream, decode))
            replies = tell(service, iter(records), args.json)
            if args.wait and config.learn:
                linger(service, stop)
            if not args.json:
                conclude(service, replies, records)
    return 0


@contextmanager
def until_terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets; the question under way is answered and kept first."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


class Until:
    """The records, until the event is set.

    Attributes:
        read: how many were given.
    """

    def __init__(self, stop: threading.Event, records: Iterator[Record]) -> None:
        self.stop, self.records = stop, records
        self.read = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self.records:
            if self.stop.is_set():
                return
            self.read += 1
            yield record


def tell(service: Service, records: Iterator[Record], as_json: bool) -> int:
    """Prints each reply once it is kept; gives how many."""
    printer = Printer()
    count = 0
    for reply in service.run(records):
        count += 1
        if as_json:
            print(json.dumps(reply._asdict(), ensure_ascii=False), flush=True)
        else:
            kept = service.memory.get(reply.experience_id)
            _line(printer, reply, {} if kept is None else kept.provenance)
    return count


def _line(printer: Printer, reply: Reply, provenance: Mapping[str, Any]) -> None:
    color = {"learn": "green", "review": "yellow"}.get(reply.decision, "dim")
    why = provenance.get("error") or provenance.get("reason", "")
    told = f"{100 * reply.confidence:.0f} %, {reply.decision}{why and f': {why}'}"
    printer.field(reply.request_id, f"{reply.answer or '(no answer)'}  ({told})", color, indent=0)


def linger(service: Service, stop: threading.Event) -> None:
    """Waits until nothing is queued or leased, keeping the learner alive."""
    while not stop.wait(0.5):
        sizes = service.queue.sizes()
        if sizes["waiting"] + sizes["leased"] == 0:
            return
        if service.supervisor is not None:
            service.supervisor.look()


def conclude(service: Service, replies: int, records: Until) -> None:
    printer = Printer()
    sizes = service.queue.sizes()
    printer.line()
    before = records.read - replies
    known = f"; {before} had an answer in the store already" if before > 0 else ""
    stopped = ", stopped" if records.stop.is_set() else ""
    printer.field("answered", f"{replies}{stopped}{known}", indent=0)
    printer.field("kept", f"{len(service.memory)} experiences", indent=0)
    printer.field("queued", f"{sizes['waiting'] + sizes['leased']} to learn from", indent=0)
    printer.field("version", f"{service.versions.promoted}", indent=0)
