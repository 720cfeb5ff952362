import json

import pytest

from pixelis.data.episodes import TRAP, read_samples
from pixelis.data.exports.write import TRAINERS, export
from pixelis.data.readers.row import Rejections
from pixelis.errors import ConfigError


def test_an_unknown_trainer_lists_the_trainers(tmp_path):
    with pytest.raises(ConfigError, match="allowed are trl, llamafactory, verl, openrlhf"):
        export([], "axolotl", tmp_path, Rejections())


def test_traps_are_prompts_but_never_shown_as_examples(episodes, exported, tmp_path):
    path = episodes / "episodes.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records[0]["kind"] = TRAP
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert exported(episodes, "trl", tmp_path / "a").traps == 1
    assert sum(exported(episodes, "openrlhf", tmp_path / "b").rows.values()) == 9


@pytest.mark.parametrize("trainer", TRAINERS)
def test_wrong_steps_are_left_out_of_what_is_imitated_whole(episodes, tmp_path, trainer):
    path = episodes / "episodes.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    slipped = [record for record in records if len(record["episode"]["steps"]) > 1][:2]
    slipped[0]["episode"]["meta"]["slips"] = [0]
    slipped[1]["episode"]["meta"]["slips"] = 1
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    result = export(read_samples(episodes), trainer, tmp_path / "out", Rejections())
    imitated = trainer in ("trl", "llamafactory")
    assert result.slips == (2 if imitated else 0)
    assert sum(result.rows.values()) == 9 - result.slips
    kept = export(read_samples(episodes), trainer, tmp_path / "all", Rejections(), keep_slips=True)
    assert (kept.slips, sum(kept.rows.values())) == (0, 9)


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_episode_without_its_source_is_named_and_the_rest_written(episodes, tmp_path, trainer):
    first = next(read_samples(episodes))
    shared = [s for s in read_samples(episodes) if s.media_path == first.media_path]
    first.media_path.unlink()
    rejections = Rejections()
    result = export(read_samples(episodes), trainer, tmp_path / "out", rejections)
    assert rejections.rejected == len(shared)
    assert "media: is not at" in rejections.first[0]
    assert sum(result.rows.values()) == 9 - len(shared)
