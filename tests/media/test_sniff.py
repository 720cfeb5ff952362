from __future__ import annotations

import pytest

from pixelis.media.sniff import describe, sniff


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", ("picture", "PNG")),
        (b"\xff\xd8\xff\xe0", ("picture", "JPEG")),
        (b"RIFF\0\0\0\0WEBPVP8 ", ("picture", "WEBP")),
        (b"RIFF\0\0\0\0AVI LIST", ("video", "avi")),
        (b"P6\n2 2\n255\n", ("picture", "PPM")),
        (b"MM\0*\0\0\0\x08", ("picture", "TIFF")),
        (b"\0\0\0\x20ftypisom", ("video", "mov")),
        (b"\x1a\x45\xdf\xa3", ("video", "matroska")),
        (b"\x47" + bytes(187) + b"\x47" + bytes(187) + b"\x47", ("video", "mpegts")),
    ],
)
def test_known_beginnings(head: bytes, expected: tuple[str, str]) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize(
    "head", [b"", b"P", b"P6x", b"RIFF\0\0\0\0WAVE", b"G" * 200, b"\0\0\0\x20ftypavif", b"\x89PNG"]
)
def test_anything_else_is_unknown(head: bytes) -> None:
    assert sniff(head) is None


def test_descriptions_say_what_it_looks_like() -> None:
    assert describe(b"\0\0\0\x20ftypavif") == "HEIC or AVIF"
    assert describe("größer".encode()) == "text"
    assert describe(b"\0\1\2") == "no known picture or video"
    assert describe(b"") == "no known picture or video"
