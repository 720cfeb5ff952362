import pytest

from pixelis.data.readers import SOURCES, read_records
from pixelis.data.readers.read import module_of
from pixelis.errors import ConfigError


def test_every_source_has_a_reader_a_licence_and_its_layout_written_down():
    for source in SOURCES:
        module = module_of(source)
        assert callable(module.read)
        assert len(module.LICENCE) > 2
        assert "PATH/" in module.__doc__
        assert "icence" in module.__doc__


def test_an_unknown_source_lists_the_sources(tmp_path):
    with pytest.raises(ConfigError, match=r"source 'cocoa' is unknown; sources are coco, lvis"):
        list(read_records("cocoa", tmp_path))


def test_a_picture_is_opened_once_for_many_questions(ground):
    ground.picture("VG_100K_2/1.jpg")
    entry = {"image": "VG_100K_2/1.jpg", "answer": 2, "question": "How many?"}
    ground.json("test.json", [{**entry, "question_id": n} for n in range(300)])
    records, _ = ground.read("tallyqa")
    assert len(records) == 300
    first = next(iter(read_records("tallyqa", ground.root)))
    assert first == records[0]
