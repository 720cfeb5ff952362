"""HR-Bench's tables: with tabs as well as Parquet, cut short, with pictures that are none."""

import pytest

from pixelis.errors import DataError
from pixelis.evals.benchmarks import read_published

HEAD = "index\tquestion\tanswer\tcategory\tA\tB\tC\tD\tcycle_category\timage\n"


def test_a_table_with_tabs(tmp_path, published):
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(published("hrbench4k") / "hr_bench_4k.parquet").to_pylist()
    lines = ["\t".join(str(value) for value in row.values()) for row in rows]
    folder = tmp_path / "tabs"
    folder.mkdir()
    (folder / "hr_bench_4k.tsv").write_text(HEAD + "\n".join(lines) + "\n")
    benchmark = read_published("hrbench4k", folder, tmp_path / "work")
    assert [question.gold for question in benchmark] == ["B", "A", "D", "C"]
    cut = HEAD + "\n".join(lines)[: -len(lines[-1]) + 20]
    (folder / "hr_bench_4k.tsv").write_text(cut)
    with pytest.raises(DataError, match=r"row 3 ends too early; the file is not whole; get it"):
        read_published("hrbench4k", folder, tmp_path / "work")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0\tq?\tE\tsingle\ta\tb\tc\td\t0\tAAAA", "answer: came 'E'; A to D is allowed"),
        ("0\tq?\tA\tsingle\ta\tb\tc\td\t0\t&&", "image: is no base64"),
        ("0\tq?\tA\tsingle\ta\tb\tc\td\t0\t", "image: came ''; a picture in base64 is needed"),
    ],
)
def test_broken_rows_are_named(tmp_path, row, reason):
    (tmp_path / "hr_bench_8k.tsv").write_text(HEAD + row + "\n")
    with pytest.raises(DataError, match=f"row 0: {reason}"):
        read_published("hrbench8k", tmp_path, tmp_path / "work")
