"""Stored files: whole or not there, and nothing in them but pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixelis.errors import MediaError, StoreError
from pixelis.memory.media import Shelf, alike, fingerprint, stripped, write_whole


def photo():
    y, x = np.mgrid[:48, :64]
    return Image.fromarray(np.dstack([x * 4, y * 5, (x + y) * 2]).astype(np.uint8))


def saved(image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def with_exif(turn=1):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = turn
    return exif


@pytest.mark.parametrize(
    "data",
    [
        saved(photo(), format="JPEG", exif=with_exif(), comment=b"SecretCamera was here"),
        saved(photo(), format="WEBP", lossless=True, exif=with_exif()),
        saved(photo(), format="TIFF", description="SecretCamera"),
    ],
)
def test_metadata_go_and_pixels_stay(data):
    assert b"SecretCamera" in data
    bare = stripped(data)
    assert b"SecretCamera" not in bare
    assert np.array_equal(Image.open(io.BytesIO(bare)).convert("RGB"),
                          Image.open(io.BytesIO(data)).convert("RGB"))  # fmt: skip


def test_png_texts_go():
    info = PngInfo()
    info.add_text("where", "SecretPlace")
    data = saved(photo(), format="PNG", pnginfo=info) + b"SecretTail"
    bare = stripped(data)
    assert b"Secret" in data
    assert b"Secret" not in bare
    assert np.array_equal(Image.open(io.BytesIO(bare)), photo())


def test_a_turned_photo_is_upright_without_its_metadata():
    bare = stripped(saved(photo(), format="JPEG", exif=with_exif(6), quality=95))
    assert b"SecretCamera" not in bare
    assert Image.open(io.BytesIO(bare)).size == (48, 64)


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    target = tmp_path / "file"
    target.mkdir()  # a folder where the file should go
    (target / "in it").touch()
    with pytest.raises(StoreError):
        write_whole(target, b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_damaged_file_is_not_given_out(tmp_path):
    shelf = Shelf(tmp_path)
    kept = shelf.put(saved(photo(), format="PNG"))
    path = shelf.path(kept.sha256, kept.suffix)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(StoreError, match="damaged"):
        shelf.read(kept.sha256, kept.suffix)
    with pytest.raises(MediaError):
        shelf.put(b"no picture at all")


def test_fingerprints_of_nearly_the_same_picture_agree():
    small = photo().resize((40, 30))
    again = Image.open(io.BytesIO(saved(small, format="JPEG", quality=50)))
    other = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    assert alike(fingerprint(photo()), fingerprint(again)) >= 0.9
    assert alike(fingerprint(photo()), fingerprint(other)) < 0.8
