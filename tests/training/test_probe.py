import pytest

from pixelis.models.load import bundled
from pixelis.training.adapters import linear_layers, lora, read_ranks
from pixelis.training.probe import only_in, probe, settings, stored
from pixelis.training.ranks import to_record, write
from pixelis.training.settings import RanksConfig
from pixelis.training.tune import load


def test_two_folders_are_compared_layer_by_layer():
    config = RanksConfig(before=bundled("nano"), after=bundled("nano-direct"))
    spectra = stored(config)
    assert len(spectra) == 6 * 7
    assert all("language_model.layers." in one.layer for one in spectra)
    assert all(one.total > 0 for one in spectra)
    everything = stored(config.model_copy(update={"targets": "all"}))
    assert len(everything) > len(spectra)
    assert only_in(config) == "language_model.layers."


@pytest.mark.slow
def test_what_a_fine_tune_changes_becomes_ranks_for_the_next(shard, tmp_path):
    config = RanksConfig(data=[shard], steps=3, batch=2, device="cpu", threads=1, lr=1e-3)
    rows = []
    spectra = probe(config, rows.append)
    assert [row["step"] for row in rows] == [0, 1, 2]
    assert all(one.total > 0 for one in spectra)
    told, _ = write(to_record(spectra, 0.9, 4, 128, 2.0), tmp_path)
    model = load(settings(config, tmp_path)).model
    assert {one.layer for one in spectra} == set(linear_layers(model))
    made = lora(model, 8, ranks=read_ranks(told))
    assert len(made.rank_pattern) == len(spectra)
