"""The owner of an online agent: it wires the parts, and nothing imports it but doors.

    with Service(Agent.load("nano"), "store", EvolveConfig(learn=True)) as service:
        for reply in service.run(read_stream(Path("stream.jsonl"))):
            ...

For each question: look the version up, recall, answer with several episodes, decide, keep. When a
reply is given, its experience with votes and decision is on the disk. The learner is a process of
its own; without it, or when it dies, questions are answered as before.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import random
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from pixelis.agent import Agent
from pixelis.episode import Episode, Media
from pixelis.errors import DataError, MediaError, ModelError, StoreError
from pixelis.evolve import gate
from pixelis.evolve.vote import tally
from pixelis.geometry import Size
from pixelis.media import Picture, open_media
from pixelis.memory import Experience, Memory, Probe, Vote, embedder_for
from pixelis.memory.audit import Audit
from pixelis.memory.media import fingerprint, write_whole
from pixelis.memory.queue import Queue
from pixelis.memory.reviews import DECIDED, Reviews
from pixelis.memory.words import standing
from pixelis.online.answering import Answered, Asking, answer, blank
from pixelis.online.calibrate import read, setting
from pixelis.online.exam import pool
from pixelis.online.settings import EvolveConfig
from pixelis.online.stream import Record
from pixelis.online.supervisor import Supervisor, learner
from pixelis.online.versions import Versions
from pixelis.online.wear import Wearer

HOUR_S = 3600.0
LOCK, CONFIG = "service.lock", "service.json"
SPOKEN = "its user has spoken of it"
CONTRADICTED = "a person has said otherwise of this question"


class Reply(NamedTuple):
    """An acknowledged answer; `confidence` is calibrated, in [0, 1].

    `decision` is the gate's action, or `erased` when the experience was erased before it was kept:
    then nothing is kept.
    """

    request_id: str
    answer: str
    confidence: float
    experience_id: str
    version: int
    decision: str


class Work(NamedTuple):
    """A record with what was made of it before it is answered; `broken` says why it cannot be."""

    record: Record
    data: bytes | None
    asking: Asking
    probe: Probe
    broken: str = ""


class Service:
    """One per store; a second one is refused.

    Args:
        agent: answers; it is closed with the service.
        store: folder of the store, made when it is not there.
        supervise: keeps the learner running; None makes one when `config.learn`.

    Attributes:
        still: held while adapters are swapped; whoever else asks the agent puts here what keeps
            them from it meanwhile.

    Raises:
        StoreError: another service has the store, or it cannot be used.
        ModelError: the promoted adapters do not fit the agent's model.
    """

    def __init__(
        self,
        agent: Agent,
        store: str | Path,
        config: EvolveConfig | None = None,
        supervise: Supervisor | None = None,
    ) -> None:
        self.agent, self.config = agent, config or EvolveConfig()
        self.memory = self._open(Path(store))
        try:
            self.memory.keep_as(self.config.redact, self.config.originals)
            self.embedder = embedder_for(agent.policy, self.config.embedder)
            named = f":{self.config.model}" if self.config.embedder == "pooled" else ""
            self.memory.base.set_about("embedder", self.config.embedder + named)
            self.queue = Queue(self.memory.base, self.memory.clock)
            self.reviews = Reviews(self.memory)
            self.versions = Versions(self.memory, "service")
            self.audit = Audit(self.memory.folder, self.memory.base, self.memory.clock)
            self.calibration = read(self.config.calibration, setting(agent, self.config))
            self._salt = self._secret()
            self._turn = threading.Lock()
            self._wearer: Wearer | None = None
            self.still: Callable[[], AbstractContextManager[None]] = nullcontext
            self.supervisor = supervise
            if self.config.learn and supervise is None:
                self.supervisor = self._supervisor()
            self._follow()
        except BaseException:
            self.memory.close()
            self._lock.release()
            raise

    def run(self, records: Iterable[Record]) -> Iterator[Reply]:
        """Replies to the records that have none yet, each given once it is kept.

        Raises DataError for a request_id that came before with another question; what was given
        before is kept. Media that cannot be used give a reply without an answer.
        """
        waiting = iter(records)
        while batch := self._next(waiting):
            yield from self.answer(batch)

    def answer(self, records: Sequence[Record]) -> list[Reply]:
        """Replies to these records, in order; they share the agent's batches."""
        with self._turn:
            if self.supervisor is not None:
                self.supervisor.look()
            self._follow()
            works = [self._prepare(record) for record in records]
            c = self.config
            whole = [work.asking for work in works if not work.broken]
            found = iter(answer(self.agent, whole, c.votes, c.temperature, c.strategy))
            return [self._keep(work, _none(work) if work.broken else next(found)) for work in works]

    def acknowledged(self, record: Record) -> str | None:
        """Id of the experience of a request that was answered before, None when it was not.

        Raises DataError when it was another question under the same id.
        """
        request, content = self._keys(record)
        row = self.memory.base.one(
            "SELECT experience, content FROM requests WHERE request = ?", (request,)
        )
        if row is None:
            return None
        if row[1] and row[1] != content:  # of what was erased nothing is left to compare
            raise DataError(
                f"line {record.line}: request_id {record.request_id!r} was used before for another "
                "question; give it an id of its own"
            )
        return str(row[0])

    def close(self) -> None:
        """Ends the learner, saves the index, lets the store go."""
        if self.supervisor is not None:
            self.supervisor.stop()
        self.agent.close()
        self.memory.close()
        self._lock.release()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # asking -----------------------------------------------------------------------------------
    def _next(self, waiting: Iterator[Record]) -> list[Record]:
        """The next records without a reply; one request_id stands in a batch once."""
        fresh = (record for record in waiting if self.acknowledged(record) is None)
        batch = list(itertools.islice(fresh, self.config.ahead))
        names = [record.request_id for record in batch]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise DataError(
                    f"line {batch[place].line}: request_id {name!r} stands twice; ids must differ"
                )
        return batch

    def _prepare(self, record: Record) -> Work:
        data, image, broken = None, None, ""
        if record.media is not None:
            try:
                data, image = _opened(record.media)
            except MediaError as error:  # the stream goes on; the reply says that there is none
                broken = str(error)
        if record.embedding is not None:
            space, embedding = f"given:{len(record.embedding)}", list(record.embedding)
        else:
            space = self.embedder.space
            embedding = self.embedder.embed(record.question, image).tolist()
        mark = None if image is None else fingerprint(image)
        hook = self.memory.hook
        asked = hook(record.question) if hook else record.question
        probe = Probe(asked, np.asarray(embedding, np.float32), space, None, mark)
        found = (
            self.memory.search(probe, self.config.neighbours) if self.config.neighbours else None
        )
        request, _ = self._keys(record)
        asking = Asking(
            record.question, data if data is not None else blank(), record.answer_type,
            record.choices, self.config.seed + int.from_bytes(request[:4], "big"), mark,
            *([found] if found is not None else []),
        )  # fmt: skip
        return Work(record, data, asking, probe, broken)

    # deciding and keeping ---------------------------------------------------------------------
    def _keep(self, work: Work, found: Answered) -> Reply:
        verdict, record = found.verdict, work.record
        confidence = self.calibration(verdict.confidence)
        decision = gate.observe(verdict, confidence, self._stats(work, found), self.config.gate)
        recollection = work.asking.recollection
        provenance = {
            **verdict.provenance(),
            "calibration": self.calibration.id,
            "recall": self.memory.engine.name,
            "recall_state": recollection.state,
            "neighbours": [n.experience.id for n in recollection.neighbours],
            "policy": self.agent.policy.name,
            "version": self.version,
            "reason": decision.reason,
            "choices": list(record.choices),
            **({"error": work.broken} if work.broken else {}),
        }
        experience = Experience(
            record.question, verdict.answer, verdict.canonical, record.answer_type, record.family,
            record.user, likeness=work.probe.likeness, confidence=confidence,
            reward=2.0 * verdict.share - 1.0, version=self.version, policy=self.agent.policy.name,
            episode=found.episode.to_dict(), provenance=provenance, space=work.probe.space,
            embedding=work.probe.embedding, id=record.experience,
        )  # fmt: skip
        votes = [
            Vote(b.answer, b.canonical, b.confidence, w, b.source)
            for b, w in zip(verdict.ballots, verdict.weights, strict=True)
        ]
        with self.memory.writing() as base:
            if record.experience and self.memory.erased(record.experience):
                return Reply(record.request_id, "", 0.0, record.experience, self.version, "erased")
            kept, decision = self._store(experience, work.data, votes, decision)
            base.execute(
                "INSERT INTO decisions VALUES (?, ?, ?, ?, ?)",
                (kept.id, decision.action, decision.reason, decision.rate, kept.born),
            )
            base.execute("INSERT INTO requests VALUES (?, ?, ?)", (*self._keys(record), kept.id))
            if decision.action == "learn":
                self.queue.put(kept.id, kept.canonical, 1.0, decision.rate, "vote")
            elif decision.action == "review":
                self.reviews.ask(kept.id, decision.reason)
            seen = [n.experience.id for n in recollection.neighbours]
            if seen:
                self.memory.recalled(seen, helped="memory" in provenance["sources"])
        return Reply(
            record.request_id, verdict.answer, confidence, kept.id, self.version, decision.action
        )

    def _store(
        self, one: Experience, data: bytes | None, votes: Sequence[Vote], decision: gate.Decision
    ) -> tuple[Experience, gate.Decision]:
        """Keeps it, and gives what may be done with it once people's words are heard.

        Where its user was faster, what is there stays, and the votes join it.
        """
        there = self.memory.get(one.id) if one.id else None
        if there is None:
            kept, why = self.memory.add(one, data, votes), ""
            if self.reviews.contradicted(kept):
                why = CONTRADICTED
        else:
            both = {**one.provenance, **there.provenance}
            sure, reward = standing(there.answer, one)
            reward = there.reward if there.status in DECIDED else reward
            after = replace(there, provenance=both, confidence=sure, reward=reward)
            kept, why = self.memory.revise(after, votes), SPOKEN
        if why and decision.action != "store_only":
            decision = gate.Decision("store_only", why, 0.0)
            told = {**kept.provenance, "reason": why}
            kept = self.memory.revise(replace(kept, provenance=told))
        return kept, decision

    def _stats(self, work: Work, found: Answered) -> gate.Stats:
        now = self.memory.clock()
        row = self.memory.base.one(
            "SELECT COUNT(*) FROM decisions WHERE action = 'learn' AND born > ?", (now - HOUR_S,)
        )
        hook, said = self.memory.hook, found.verdict.canonical
        learned = ("queued", "learned")
        near = [
            n.likeness
            for n in work.asking.recollection.neighbours
            if n.experience.status in learned
        ]
        draw = random.Random(f"{self.config.seed}/{work.record.request_id}").random()
        return gate.Stats(
            len(self.memory), int(row[0]) if row else 0, min(1.0, max([0.0, *near])), draw,
            work.asking.recollection.state, hook is not None and hook(said) != said,
        )  # fmt: skip

    # versions ---------------------------------------------------------------------------------
    @property
    def version(self) -> int:
        """The version that answers; 0 is the model without adapters."""
        return self._wearer.number if self._wearer is not None else 0

    def follow(self) -> int:
        """Puts the promoted version on and gives it; waits for answers of `answer` to end.

        ModelError or ConfigError when its adapters are damaged or do not fit; then the version
        before it goes on answering.
        """
        with self._turn:
            self._follow()
            return self.version

    def _follow(self) -> None:
        if self.versions.promoted != self.version:
            with self.still():
                self._swap()

    def _swap(self) -> None:
        """Puts the promoted adapters on; nobody is being answered now."""
        promoted = self.versions.promoted
        if self._wearer is None:
            self._wearer = Wearer(self.agent.policy)
        if promoted == 0:
            self._wearer.bare()
        else:
            self._wearer.wear(self.versions.path(promoted), promoted)
        self.audit.append("swap", "service", version=promoted)

    # opening ----------------------------------------------------------------------------------
    def _open(self, folder: Path) -> Memory:
        config = self.config
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / LOCK, timeout=0)
            self._lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"{folder} is in use by another service; stop it, or give another store"
            ) from error
        except OSError as error:
            raise StoreError(f"{folder} cannot be used ({error.strerror or error})") from error
        try:
            return Memory(folder, config.space, config.recall)
        except BaseException:
            self._lock.release()
            raise

    def _secret(self) -> bytes:
        """Keys the hashes of requests, so that what was erased cannot be guessed from them."""
        if not self.memory.base.about("salt"):
            self.memory.base.set_about("salt", secrets.token_hex(16))
        return self.memory.base.about("salt").encode()

    def _keys(self, record: Record) -> tuple[bytes, bytes]:
        def key(text: str) -> bytes:
            return hmac.new(
                self._salt, text.encode("utf-8", "surrogatepass"), hashlib.sha256
            ).digest()

        return key(record.request_id), key(record.content)

    def _supervisor(self) -> Supervisor:
        path = self.memory.folder / CONFIG
        text = json.dumps({**self.config.model_dump(mode="json"), "parent": os.getpid()})
        write_whole(path, text.encode())
        # Say now, and not in the learner's log, that a model runs elsewhere or has no canary.
        Wearer(self.agent.policy)
        if self.config.canaries:
            pool(self.config.canary, 1, self.config.model)
        return Supervisor(lambda: learner(self.memory.folder, path))


def _opened(path: Path) -> tuple[bytes, Image.Image]:
    """The bytes of a file, and the picture or first frame in it; MediaError when there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MediaError(f"{path.name}: cannot be read ({error.strerror})") from error
    with open_media(data, name=path.name) as media:
        return data, media.image if isinstance(media, Picture) else media.frame(0)


def _none(work: Work) -> Answered:
    """No answer, for media that cannot be used."""
    name = work.record.media.name if work.record.media is not None else ""
    media = Media("picture", name, Size(0, 0), "")
    episode = Episode(work.record.question, media, ended="failed", meta={"error": work.broken})
    return Answered(tally([]), episode)


def tokenizer_of(agent: Agent) -> Callable[[Sequence[int]], str] | None:
    """Decodes token ids of text-ready records; None when the model's tokenizer is not here."""
    tokenizer = getattr(getattr(agent.policy, "processor", None), "tokenizer", None)
    if tokenizer is None:
        return None

    def decode(ids: Sequence[int]) -> str:
        """The last question of a conversation in the Qwen form, or the text as it is."""
        try:
            text = str(tokenizer.decode(list(ids), skip_special_tokens=False))
        except (OverflowError, TypeError, IndexError) as error:
            raise ModelError(f"input_ids are not of this model's tokenizer ({error})") from error
        _, found, rest = text.rpartition("<|im_start|>user\n")
        if found:
            text = rest.partition("<|im_end|>")[0]
        for mark in tokenizer.all_special_tokens:
            text = text.replace(mark, " ")
        return text.strip()

    return decode
