import shutil

import pytest

from pixelis.errors import DataError
from pixelis.models.load import load_policy
from pixelis.training.collator import Collator
from pixelis.training.material import read
from pixelis.training.stock import build


@pytest.fixture(scope="module")
def collator():
    policy = load_policy("nano", device="cpu")
    return Collator(policy.processor, policy.profile, 4096)


def test_a_broken_picture_is_named_and_the_rest_is_learned(episodes, collator, tmp_path):
    shutil.copytree(episodes, tmp_path / "copy")
    samples = read([tmp_path / "copy"])[2:4]
    path = samples[1].media_path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    stock = build(samples, collator, tmp_path / "told")
    assert [item.sample.id for item in stock.items] == [samples[0].id]
    assert stock.skipped == {"its pictures cannot be opened": 1}
    assert "episodes.jsonl: line 4: media: " in stock.broken
    assert "truncated" in stock.broken
    with pytest.raises(DataError, match=r"cannot be opened \(1\); the first: .*line 4: media: "):
        build(samples[1:], collator, tmp_path / "other")


def test_what_the_operations_answer_otherwise_is_left_out(episodes, collator, tmp_path):
    lines = (episodes / "episodes.jsonl").read_text().splitlines()
    shutil.copytree(episodes, tmp_path / "copy")
    wrong = lines[2].replace('"gold": ', '"gold": "nothing of the kind", "was": ', 1)
    (tmp_path / "copy" / "episodes.jsonl").write_text(f"{lines[2]}\n{wrong}\n")
    stock = build(read([tmp_path / "copy"]), collator, tmp_path / "told")
    assert stock.skipped == {"its operations lead elsewhere for this model": 1}
    assert stock.items[0].learned > 0
