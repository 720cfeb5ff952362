import pytest

from pixelis.data.readers.row import RecordError, Row
from pixelis.data.readers.table import columns_of, table_rows
from pixelis.errors import DataError

pyarrow = pytest.importorskip("pyarrow")


def test_rows_come_in_order_whatever_the_batches(ground):
    path = ground.parquet("a.parquet", [{"n": n, "t": str(n)} for n in range(100)])
    rows = list(table_rows(path))
    assert [row.value["n"] for row in rows] == list(range(100))
    assert [row.place for row in rows] == [f"row {n}" for n in range(100)]
    assert columns_of(path) == ["n", "t"]


def test_a_text_that_is_not_utf8_is_named_and_the_rest_kept(tmp_path):
    raw = [b"a", b"\xff\xfe", b"c"]
    column = pyarrow.array(raw, pyarrow.binary()).view(pyarrow.string())
    path = tmp_path / "a.arrow"
    table = pyarrow.table({"t": column})
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    found = list(table_rows(path))
    assert [row.value["t"] for row in found if isinstance(row, Row)] == ["a", "c"]
    (wrong,) = [row for row in found if isinstance(row, RecordError)]
    assert "row 1: a text is not UTF-8" in str(wrong)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_file_that_is_cut_off_is_named(ground, name):
    path = ground.text(name, "PAR1 nothing here")
    with pytest.raises(DataError, match="is no whole"):
        list(table_rows(path))
