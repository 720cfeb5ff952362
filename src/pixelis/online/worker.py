"""The learner's process: `python -m pixelis.online.worker STORE CONFIG.json`.

It runs at the lowest priority, holds the store's learner lock, and ends when it is told to
(SIGTERM), when its service is gone, or when something breaks; the service starts it again.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from pixelis.agent import Agent
from pixelis.errors import ConfigError, StoreError
from pixelis.memory import Memory
from pixelis.online.exam import Examiner, pool
from pixelis.online.learner import Learner
from pixelis.online.settings import EvolveConfig
from pixelis.online.trainer import AdapterTrainer
from pixelis.online.versions import Versions

LOCK = "learner.lock"
IDLE_S = 0.5
log = logging.getLogger("pixelis.learner")


def main(arguments: list[str]) -> None:
    """Learns until it is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    os.nice(19)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    store, file = Path(arguments[0]), Path(arguments[1])
    record = json.loads(file.read_text(encoding="utf-8"))
    parent = int(record.pop("parent"))
    config = EvolveConfig.model_validate(record)
    lock = FileLock(store / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreError(f"{store} has a learner already") from error
    with lock, Memory(store, config.space, must_exist=True) as memory:
        learn(memory, config, stop, parent)


def learn(memory: Memory, config: EvolveConfig, stop: threading.Event, parent: int) -> None:
    """The loop; it goes back to what is promoted when somebody else changed that."""
    while not stop.is_set() and os.getppid() == parent:
        versions = Versions(memory, "learner")
        promoted = versions.promoted
        start = versions.path(promoted) if promoted else None
        with Agent.load(config.model, threads=1) as agent:
            trainer = AdapterTrainer(agent, config, start, seed=promoted)
            examiner = examiner_of(agent, config)
            name = f"{os.getpid()}-{time.time_ns()}"
            learner = Learner(memory, trainer, examiner, config, name, promoted)
            log.info("from version %d", promoted)
            while not stop.is_set() and os.getppid() == parent:
                event = learner.step()
                if event != "idle":
                    log.info("%s, version %d", event, versions.promoted)
                if event == "promoted":
                    promoted = versions.promoted
                if versions.promoted != promoted:
                    break
                if event == "idle":
                    stop.wait(IDLE_S)
            learner.close()


def examiner_of(agent: Agent, config: EvolveConfig) -> Examiner | None:
    """Who asks the canary's questions; None when it is off, so that any model may learn."""
    if not config.canaries:
        return None
    return Examiner(agent, pool(config.canary, 2 * config.canary_size, config.model))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise ConfigError("the learner needs a store and a configuration; it is started by evolve")
    main(sys.argv[1:])
