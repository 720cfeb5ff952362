import hashlib

import pytest

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.row import RecordError, Row


@pytest.fixture
def row(ground):
    return Row({}, ground.text("a.json", "{}"), "line 1")


def test_media_are_looked_for_in_the_users_folders_first(ground, row):
    ours, theirs = ground.picture("images/a.png"), ground.picture("other/a.png")
    place = Place(ground.root)
    assert place.find(row, "image", "a.png", ("images",)) == ours
    place = Place(ground.root, (ground.root / "other",))
    assert place.find(row, "image", "a.png", ("images",)) == theirs


@pytest.mark.parametrize("name", ["../secret.png", "images/../../secret.png", "..\\secret.png"])
def test_names_do_not_lead_out_of_the_folder(ground, row, name):
    (ground.root.parent / "secret.png").write_bytes(b"x")
    with pytest.raises(RecordError, match=r"'\.\.' is not allowed"):
        Place(ground.root).find(row, "image", name)


def test_whole_paths_count_only_below_the_folders(ground, row):
    inside = ground.picture("a.png")
    outside = ground.root.parent / "b.png"
    outside.write_bytes(inside.read_bytes())
    assert Place(ground.root).find(row, "image", str(inside)) == inside
    with pytest.raises(RecordError, match="is not there"):
        Place(ground.root).find(row, "image", str(outside))
    with pytest.raises(RecordError, match="is not there"):
        Place(ground.root).find(row, "image", "/etc/passwd")


def test_files_are_hashed_as_they_are(ground, row):
    provenance = Place(ground.root).provenance(row)
    assert provenance.sha256 == hashlib.sha256(b"{}").hexdigest()
    assert provenance.place == "line 1"
    assert provenance.file == "a.json"


@pytest.mark.parametrize(
    ("name", "split"),
    [("instances_train2017", "train"), ("STAR_val", "val"), ("annot_testmini", "val"), ("x", "")],
)
def test_splits_are_known_by_name(name, split):
    assert split_of(name) == split
