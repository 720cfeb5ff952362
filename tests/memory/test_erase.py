"""Erased means that not a byte is left, in no file of the store."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import ConfigError
from pixelis.memory import Experience, Memory, Probe, Vote
from pixelis.memory.audit import Audit
from pixelis.memory.erase import erase, versions_of
from pixelis.memory.exchange import export

SECRET = "the heron stands on the violet crate"


def png(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def fill(memory, others=30):
    """Other experiences before and after the one to be erased."""
    for number in range(others):
        memory.add(
            Experience(f"plain {number}", "a", user="bob", embedding=random(number), space="t"),
            png(number),
        )
    kept = memory.add(
        Experience(
            SECRET, SECRET + " answer", user="ann", embedding=random(500), space="t",
            episode={"question": SECRET}, provenance={"note": SECRET},
        ),
        png(500), [Vote(SECRET + " vote", SECRET, 0.5, 1.0, "greedy")],
    )  # fmt: skip
    for number in range(others):
        memory.add(Experience(f"later {number}", "a"))
    return kept


def random(seed, dims=32):
    return np.random.default_rng(seed).normal(size=dims).astype(np.float32)


def traces(folder, kept, data):
    """Names of files that still hold something of the experience."""
    needles = [SECRET.encode(), kept.embedding.tobytes(), kept.embedding.tobytes()[:24], data[:300]]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "memory.db" for path in files)
    return [path.name for path in files if any(n in path.read_bytes() for n in needles)]


@pytest.mark.parametrize("exact", [10, 20_000])
def test_nothing_is_left(tmp_path, exact):
    if exact == 10:
        pytest.importorskip("usearch")
    with Memory(tmp_path, exact=exact) as memory:
        kept = fill(memory)
        data = memory.picture(kept.media)
        memory.search(Probe(embedding=random(500), space="t"), 3)
        memory.spaces.save()
        (tmp_path / "learner.log").write_text(f"a library says {SECRET}")
        assert len(traces(tmp_path, kept, data)) >= 2, "the search must be able to find it"
        done = erase(memory, [kept.id])
        assert done.ids == (kept.id,)
        assert done.clean
        assert not traces(tmp_path, kept, data)
        found = memory.search(Probe(embedding=random(500), space="t"), 100).neighbours
        assert len(found) == 30
        assert kept.id not in {near.experience.id for near in found}
        memory.spaces.save()
        assert not traces(tmp_path, kept, data)
    assert not traces(tmp_path, kept, data)


def test_an_interrupted_erasure_is_ended_when_the_store_is_opened(tmp_path):
    memory = Memory(tmp_path, exact=10)
    kept = fill(memory)
    data = memory.picture(kept.media)
    memory.search(Probe(embedding=random(500), space="t"), 3)
    memory.spaces.save()
    with memory.writing() as base:  # what `erase` commits first, and then a crash
        base.execute("UPDATE about SET value = '1' WHERE name = 'unclean'")
        memory.remove([kept.id])
    memory.base.close()
    with Memory(tmp_path):
        pass
    assert not traces(tmp_path, kept, data)


def test_by_user_and_time(tmp_path):
    with Memory(tmp_path) as memory:
        for number in range(6):
            memory.add(Experience("q", "a", user="ab"[number % 2], born=100.0 + number))
        assert len(erase(memory, user="a", since=102.0).ids) == 2
        assert len(memory) == 4
        assert len(erase(memory, until=101.0).ids) == 2
        with pytest.raises(ConfigError, match="--all"):
            erase(memory)
        assert len(erase(memory, everything=True).ids) == 2


def test_versions_and_exports_that_hold_it_are_named(tmp_path):
    with Memory(tmp_path / "store") as memory:
        first, other = (memory.add(Experience("q", name)) for name in "ab")
        with memory.writing() as base:
            for number, parent in ((1, 0), (2, 1), (3, 0)):
                base.execute(
                    "INSERT INTO versions VALUES (?, ?, 'retired', '', 0, '', '{}')",
                    (number, parent),
                )
            base.execute("INSERT INTO lineage VALUES (1, ?)", (first.id,))
        export(memory, tmp_path / "copy")
        assert versions_of(memory, [other.id]) == ()
        done = erase(memory, [first.id])
        assert done.versions == (1, 2), "a version that descends from one learned from it, too"
        assert done.exports == (str((tmp_path / "copy").resolve()),)


def test_what_was_evicted_before_goes_too(tmp_path):
    pytest.importorskip("usearch")
    with Memory(tmp_path, exact=10) as memory:
        kept = fill(memory)
        data = memory.picture(kept.media)
        memory.search(Probe(embedding=random(500), space="t"), 3)
        memory.remove([kept.id])  # as when there is no room
        memory.spaces.save()
        with memory.writing() as base:
            base.execute("DELETE FROM exports")
        if not traces(tmp_path, kept, data):
            pytest.skip("eviction left nothing to find")
        done = erase(memory, [kept.id])
        assert done.ids == ()
        assert not traces(tmp_path, kept, data)
        memory.spaces.save()
        assert not traces(tmp_path, kept, data)


def test_a_second_call_names_the_versions_again(tmp_path):
    with Memory(tmp_path) as memory:
        one = memory.add(Experience("q", "a"))
        with memory.writing() as base:
            base.execute("INSERT INTO versions VALUES (1, 0, 'promoted', '', 0, '', '{}')")
            base.execute("INSERT INTO lineage VALUES (1, ?)", (one.id,))
        assert erase(memory, [one.id]).versions == (1,)
        assert erase(memory, [one.id]) == ((), (1,), (), True, ()), "a crash may have come between"


# Kills `pixelis memory erase --retire` before its first statement to the database, before its
# second, and so on, until one lives through all of them; each time on a fresh copy of the store.
KILLED = """
import json, os, shutil, signal, sys
from pathlib import Path

import pixelis.memory.erase, pixelis.online.versions  # once, and not in every child
from pixelis.cli.main import main

store, ids = Path(sys.argv[1]), sys.argv[2:]
left = 0

def traced(statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

made = []

def watch(event, args):
    if made:  # by now it is whole, and can be watched
        made.pop().set_trace_callback(traced)
    if event == "sqlite3.connect/handle":
        made.append(args[0])

for number in range(10_000):
    copy = store.with_name(f"killed{number}")
    shutil.copytree(store, copy)
    child = os.fork()
    if child == 0:
        left = number
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.addaudithook(watch)
        os._exit(main(["memory", "erase", *ids, "--store", str(copy), "--retire", "--json"]))
    _, status = os.waitpid(child, 0)
    print(json.dumps([str(copy), os.waitstatus_to_exitcode(status)]), flush=True)
    if not os.WIFSIGNALED(status):
        break
"""


def stands(log, one):
    """Whether the log tells of an erasure of this experience that was not undone."""
    undone = [entry.facts for entry in log.entries() if entry.event == "undone"]
    return any(
        one in entry.facts["ids"]
        for entry in log.entries()
        if entry.event == "erase"
        and not any(facts["first"] <= entry.seq <= facts["last"] for facts in undone)
    )


def test_a_kill_at_any_moment_leaves_an_erasure_and_its_line_or_neither(tmp_path):
    store = tmp_path / "store"
    with Memory(store) as memory:
        kept, other = memory.add(Experience(SECRET, "a"), png(1)), memory.add(Experience("q", "a"))
        with memory.writing() as base:
            base.execute("INSERT INTO versions VALUES (1, 0, 'promoted', '', 0, '', '{}')")
            base.execute("INSERT INTO lineage VALUES (1, ?)", (kept.id,))
            base.execute("UPDATE about SET value = '1' WHERE name = 'promoted'")
    words = [sys.executable, "-c", KILLED, str(store), kept.id]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [code for _, code in runs] == [-9] * (len(runs) - 1) + [0]
    found = []
    for folder, _ in runs:
        with Memory(folder) as memory:
            log = Audit(memory.folder, memory.base, memory.clock)
            gone = memory.get(kept.id) is None
            assert gone == stands(log, kept.id), folder
            assert gone == (memory.base.about("promoted") == "0"), "versions go with it, or stay"
            assert memory.get(other.id) is not None
            assert not log.verify().damage
            found.append((gone, any(entry.event == "undone" for entry in log.entries())))
    assert {(False, False), (False, True), (True, False)} <= set(found), "before, between, after"
