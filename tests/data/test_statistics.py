import pytest

from pixelis.data.episodes import read_samples
from pixelis.data.statistics import gather


def test_figures_are_those_of_counting_by_hand(clean):
    figures, rejections = gather(clean)
    samples = list(read_samples(clean))
    assert rejections.rejected == 0
    assert figures["samples"] == 9
    assert figures["family"]["object_counting"] == 3
    assert figures["split"] == {"train": 6, "test": 3}
    steps = [len(sample.episode.steps) for sample in samples]
    assert figures["steps"]["mean"] == pytest.approx(sum(steps) / 9, abs=1e-3)
    assert figures["steps"]["most"] == max(steps)
    calls = [call.op for sample in samples for call in sample.episode.calls]
    assert figures["ops"] == {op: calls.count(op) for op in figures["ops"]}
    assert sum(figures["ops"].values()) == len(calls)


def test_whole_numbers_get_a_bar_each(clean):
    figures, _ = gather(clean)
    steps = [len(sample.episode.steps) for sample in read_samples(clean)]
    low, high = min(steps), max(steps)
    assert figures["steps"]["counts"] == [steps.count(n) for n in range(low, high + 1)]
    assert figures["steps"]["edges"][0] == low - 0.5
