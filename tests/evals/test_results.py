"""Results read back from folders, one run or one per seed."""

from dataclasses import replace

import pytest

from pixelis.errors import ConfigError
from pixelis.evals.results import RESULTS, Store, pixels_shown, read_results


def keep(folder, results):
    store = Store(folder / RESULTS, {"model": "looker"})
    for result in results:
        store.add(result)
    store.close()


def test_a_run_is_read_back(tmp_path, results):
    keep(tmp_path, results)
    identity, found = read_results(tmp_path)
    assert identity == {"model": "looker"}
    assert found == results
    assert read_results(tmp_path / RESULTS)[1] == results


def test_seeds_are_read_one_after_another(tmp_path, results):
    keep(tmp_path / "seed-1", results[:2])
    keep(tmp_path / "seed-2", [replace(result, seed=2) for result in results[:2]])
    found = read_results(tmp_path)[1]
    assert [result.seed for result in found] == [0, 0, 2, 2]


def test_results_of_before_are_still_read(tmp_path, results):
    import json

    keep(tmp_path, results[:1])
    lines = (tmp_path / RESULTS).read_text().splitlines()
    old = json.loads(lines[1])
    for name in ("tokens", "pixels", "seed", "judged", "group"):
        old.pop(name)
    (tmp_path / RESULTS).write_text("\n".join([lines[0], json.dumps(old)]) + "\n")
    [found] = read_results(tmp_path)[1]
    assert (found.tokens, found.judged) == (0, "")


def test_no_run_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no results\.jsonl"):
        read_results(tmp_path)
    (tmp_path / RESULTS).write_text("{}\n")
    with pytest.raises(ConfigError, match="holds no evaluation"):
        read_results(tmp_path)


def test_tokens_and_pixels_are_counted(results):
    from pixelis.episode import Episode

    episode = Episode.from_dict(results[0].episode)
    # The original and one crop, each brought to 64 x 64.
    assert pixels_shown(episode) == results[0].pixels == 2 * 64 * 64
    assert results[0].tokens == sum(len(step.text.encode()) for step in episode.steps)


def test_two_runs_do_not_write_one_file(tmp_path, results):
    first = Store(tmp_path / RESULTS, {"model": "looker"})
    with pytest.raises(ConfigError, match="another run is writing there; wait for it, or choose"):
        Store(tmp_path / RESULTS, {"model": "looker"})
    first.add(results[0])
    first.close()
    again = Store(tmp_path / RESULTS, {"model": "looker"})
    assert list(again.results) == [results[0].id]
    again.close()


def test_a_file_of_another_run_is_let_go(tmp_path, results):
    keep(tmp_path, results[:1])
    with pytest.raises(ConfigError, match="choose another --out"):
        Store(tmp_path / RESULTS, {"model": "other"})
    Store(tmp_path / RESULTS, {"model": "looker"}).close()
