import numpy as np
import pytest
import torch

from pixelis.data import synthesis, tasks
from pixelis.models.nano import TEXT_LIMIT
from pixelis.training import pool
from pixelis.training.batch import Encoder
from pixelis.training.pretrain import new_run, optimizers_of, save_checkpoint
from pixelis.training.settings import PretrainConfig, SftConfig
from pixelis.training.sft import direct_lesson, episode_lesson, sft

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    (place / "pool").mkdir()
    (place / "episodes").mkdir()
    pool.write_shard(place / "pool" / "shard-00000.npz", 9, 0, 24)
    synthesis.write_shard(place / "episodes", 9, 0, pool.BUDGET, TEXT_LIMIT, size=9)
    return place


@pytest.fixture(scope="module")
def start(folder):
    base = new_run(PretrainConfig(out=folder / "base", seed=9), lambda values: None)
    save_checkpoint(base, optimizers_of(base, [base.head], 1e-3), "joint", 0)
    return folder / "base" / "weights.safetensors"


@pytest.mark.parametrize("direct", [False, True])
def test_fine_tuning_changes_the_weights_it_started_from(folder, start, direct):
    out = folder / f"sft-{direct}"
    rows = []
    config = SftConfig(
        out=out, start_from=start, seed=9, workers=0, steps=3, batch=3, direct=direct, warmup=1
    )
    run = sft(config, rows.append, least=4)
    before = torch.load(folder / "base" / "optimizer.pt", weights_only=True)
    assert before
    assert [row["step"] for row in rows] == [0, 1, 2]
    assert all(row["loss"] > 0 for row in rows)
    assert (out / "weights.safetensors").read_bytes() != start.read_bytes()
    assert run.config.direct is direct


def test_only_what_the_model_wrote_is_learned(folder, start):
    run = new_run(SftConfig(out=folder / "again", start_from=start, seed=9), lambda values: None)
    encoder = Encoder(run.tokenizer)
    for golden in synthesis.read_shard(folder / "episodes" / "episodes-00000.jsonl"):
        for lesson in (episode_lesson(golden), direct_lesson(golden)):
            encoded = encoder.lesson(lesson)
            learned = [label for label in encoded.labels if label >= 0]
            written = "".join(part.text for part in lesson.segments if part.written)
            assert run.tokenizer.decode(learned) == written
            assert golden.episode.question not in written


def test_a_first_call_that_went_wrong_is_read_but_not_learned(folder, start):
    run = new_run(SftConfig(out=folder / "again", start_from=start, seed=9), lambda values: None)
    drawn = (
        synthesis.make(tasks.draw(9, k), pool.BUDGET, TEXT_LIMIT, np.random.default_rng(k))
        for k in range(60)
    )
    golden = next(one for one in drawn if one is not None)
    slips = golden.episode.slips
    wrong = golden.episode.steps[0].text
    right = next(step.text for k, step in enumerate(golden.episode.steps) if k not in slips)
    lesson = episode_lesson(golden)
    encoded = Encoder(run.tokenizer).lesson(lesson)
    learned = run.tokenizer.decode([label for label in encoded.labels if label >= 0])
    assert wrong not in learned
    assert learned.startswith(right)
    assert wrong in "".join(part.text for part in lesson.segments)
