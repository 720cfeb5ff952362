"""The online learner behind the server: it learns from what was asked, beside those who ask.

A question is answered to its user first, by the model as it is. Then the same question is put to
the online service, which takes votes, decides, keeps it and may learn from it; that happens in one
thread of its own. It is kept under the id of the episode, as is what its user says of it, so that
both are one experience, whichever comes first. When another version is promoted, its adapters are
put on between answers: new questions wait, those under way end, the swap takes its milliseconds,
and all go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pixelis.agent import Agent
from pixelis.online.service import Reply, Service
from pixelis.online.settings import EvolveConfig
from pixelis.online.stream import Record
from pixelis.server.desk import Desk
from pixelis.server.recent import Kept

log = logging.getLogger(__name__)
LOOK_S = 2.0  # how often a new promoted version is looked for
MOST_WAITING = 100  # questions to learn from; more are not learned from
MOST_BYTES = 128 * 2**20  # of their media
INBOX = "inbox"


class Keeper:
    """One per server, around the agent of its default model, whose service it owns.

    Args:
        store: folder of the store; another service must not have it.
        config: `learn` says whether anything is learned; versions are followed in any case.

    Raises:
        StoreError: another service has the store, or it cannot be used.
    """

    def __init__(self, agent: Agent, store: Path, config: EvolveConfig) -> None:
        self.config = config
        self.service = Service(agent, store, config)
        self.inbox = self.service.memory.folder / INBOX
        shutil.rmtree(self.inbox, ignore_errors=True)  # media that a killed server left there
        self._thread = ThreadPoolExecutor(1, "pixelis-keeper")
        self._waiting = self._bytes = 0
        self._refused: int | None = None  # a promoted version that cannot be put on
        self._told = ""
        self._clock: asyncio.Task[None] | None = None

    @property
    def version(self) -> int:
        """The version that answers; 0 is the model without adapters."""
        return self.service.version

    @property
    def learner_runs(self) -> bool:
        """True while the learner's process lives."""
        supervisor = self.service.supervisor
        return supervisor is not None and supervisor.running

    def start(self, desk: Desk) -> None:
        """Begins to follow versions; called on the server's loop."""
        loop = asyncio.get_running_loop()

        @contextlib.contextmanager
        def still() -> Iterator[None]:
            asyncio.run_coroutine_threadsafe(desk.hold(), loop).result()
            try:
                yield
            finally:
                loop.call_soon_threadsafe(desk.let_go)

        self.service.still = still
        self._clock = asyncio.create_task(self._look())

    def learn(self, kept: Kept) -> bool:
        """Puts an answered question to the service, when learning is on and not too many wait."""
        size = len(kept.source.data or b"")
        full = self._waiting >= MOST_WAITING or self._bytes + size > MOST_BYTES
        if not self.config.learn or full or self._refused is not None:
            return False
        self._waiting += 1
        self._bytes += size
        loop = asyncio.get_running_loop()
        done = self._thread.submit(self._ask_again, kept)
        done.add_done_callback(lambda future: loop.call_soon_threadsafe(self._done, future, size))
        return True

    async def close(self) -> None:
        """Ends the learner and lets the store go; what was begun is kept first."""
        if self._clock is not None:
            self._clock.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._thread.shutdown(wait=True)
        self.service.close()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            done = asyncio.wrap_future(self._thread.submit(self._tend))
            await asyncio.wait([done])
            error = done.exception()  # it goes on looking, and what answered goes on answering
            if error is not None and str(error) != self._told:
                told = "the promoted version %s cannot be put on; promote another"
                log.error(told, self._refused, exc_info=error)
            self._told = "" if error is None else str(error)

    def _tend(self) -> None:
        if self.service.supervisor is not None:
            self.service.supervisor.look()
        promoted = self.service.versions.promoted
        if promoted != self._refused:  # everybody is stopped for a try, so there is one only
            self._refused = promoted
            self.service.follow()
            self._refused = None

    def _ask_again(self, kept: Kept) -> Reply:
        """Votes, decision and experience of one question; its media lie in a file meanwhile."""
        self.inbox.mkdir(exist_ok=True)
        path = self.inbox / kept.episode.id
        path.write_bytes(kept.source.data or b"")
        try:
            name = kept.episode.id
            record = Record(name, kept.episode.question, path, user=kept.owner, experience=name)
            return self.service.answer([record])[0]
        finally:
            path.unlink(missing_ok=True)

    def _done(self, future: Future[Reply], size: int) -> None:
        self._waiting -= 1
        self._bytes -= size
        if not future.cancelled() and future.exception() is not None:
            log.error("a question could not be learned from", exc_info=future.exception())
