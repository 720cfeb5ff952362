"""`pixelis memory`: what it prints, what it exits with."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from pixelis.cli.main import main
from pixelis.memory import Experience, Memory, PlainEmbedder


@pytest.fixture
def store(tmp_path):
    embedder = PlainEmbedder()
    with Memory(tmp_path / "store") as memory:
        for number, (question, family) in enumerate(
            [("How many red cars are there?", "counting"), ("What does the sign say?", "text")]
        ):
            pixels = np.random.default_rng(number).integers(0, 255, (30, 40, 3), dtype=np.uint8)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "PNG")
            image = Image.fromarray(pixels)
            image.save(tmp_path / f"{number}.png")
            memory.add(
                Experience(
                    question, str(number), family=family, user="ann", confidence=0.5,
                    embedding=embedder.embed(question, image), space=embedder.space,
                ),
                stream.getvalue(),
            )  # fmt: skip
    return tmp_path / "store"


def told(capsys, *words):
    """Exit code and the JSON document that was printed."""
    code = main(list(map(str, words)))
    return code, json.loads(capsys.readouterr().out)


def test_stats_count_and_draw(store, tmp_path, capsys):
    plot = tmp_path / "kept.png"
    code, found = told(capsys, "memory", "stats", "--store", store, "--json", "--plot", plot)
    assert code == 0
    assert found["experiences"] == 2
    assert found["by_family"] == {"counting": 1, "text": 1}
    assert np.asarray(Image.open(plot)).std() > 10


def test_search_by_words_and_by_picture(store, tmp_path, capsys):
    code, found = told(
        capsys, "memory", "search", "how many red cars", "--store", store, "--json", "-k", 1
    )
    assert (code, found[0]["family"]) == (0, "counting")
    picture = tmp_path / "1.png"
    _, found = told(capsys, "memory", "search", "--image", picture, "--store", store, "--json")
    assert found[0]["family"] == "text"
    assert found[0]["likeness"] > found[1]["likeness"]


def test_list_show_pin_and_the_picture(store, tmp_path, capsys):
    _, listed = told(capsys, "memory", "list", "--store", store, "--json", "--family", "text")
    one = listed[0]["id"]
    out = tmp_path / "out.png"
    _, shown = told(capsys, "memory", "show", one, "--store", store, "--json", "--media", out)
    assert shown["question"] == "What does the sign say?"
    assert np.array_equal(Image.open(out), Image.open(tmp_path / "1.png"))
    assert told(capsys, "memory", "pin", one, "--store", store, "--json")[1]["experiences"] == 1


def test_verify_says_what_is_damaged(store, capsys):
    code, found = told(capsys, "memory", "verify", "--store", store, "--json")
    assert (code, found["ok"]) == (0, True)
    (store / "index").mkdir(exist_ok=True)
    (store / "index" / "old.usearch").write_bytes(b"stale")
    code, found = told(capsys, "memory", "verify", "--store", store, "--json")
    assert (code, found["ok"]) == (0, True), "a stale index is no damage"
    assert not list((store / "index").iterdir())
    next((store / "media").glob("*/*")).unlink()
    code, found = told(capsys, "memory", "verify", "--store", store, "--json")
    assert (code, len(found["damage"])) == (1, 1)
    told(capsys, "memory", "verify", "--repair", "--store", store, "--json")
    assert told(capsys, "memory", "verify", "--store", store, "--json")[0] == 0


def test_erase_export_and_import(store, tmp_path, capsys):
    copy = tmp_path / "copy"
    assert told(capsys, "memory", "export", copy, "--store", store, "--json")[1]["experiences"] == 2
    code, done = told(capsys, "memory", "erase", "--user", "ann", "--store", store, "--json")
    assert (code, done["erased"], done["clean"]) == (0, 2, True)
    assert done["exports"] == [str(copy.resolve())]
    code, done = told(capsys, "memory", "import", copy, "--store", store, "--json")
    assert (code, done["added"]) == (0, 2)
    code, log = told(capsys, "audit", "show", "--store", store, "--json")
    assert [line["event"] for line in log] == ["erase"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["memory", "stats", "--store", "nowhere"], "holds no store"),
        (["memory", "erase", "--store", "STORE"], "--all"),
        (["memory", "show", "none", "--store", "STORE"], "no experience none"),
        (["memory", "search", "--store", "STORE"], "give a text"),
        (["memory", "list", "--status", "fine", "--store", "STORE"], "statuses are"),
        (["memory", "list", "--since", "soon", "--store", "STORE"], "no time"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(store, capfd, words, says):
    assert main([str(store) if word == "STORE" else word for word in words]) == 2
    heard = capfd.readouterr().err.strip().splitlines()
    assert len(heard) == 1
    assert says in heard[0]
