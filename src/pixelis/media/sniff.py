"""What a file really is, from its first bytes; names and extensions are not believed."""

from __future__ import annotations

from typing import Literal, NamedTuple

HEAD_BYTES = 4096
PICTURES = "png, jpeg, webp, bmp, gif, tiff, ppm"
VIDEOS = "mp4, mov, mkv, webm, avi, mpeg, ts, flv, ogg"

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "picture", "PNG"),
    (b"\xff\xd8\xff", "picture", "JPEG"),
    (b"GIF87a", "picture", "GIF"),
    (b"GIF89a", "picture", "GIF"),
    (b"BM", "picture", "BMP"),
    (b"II*\0", "picture", "TIFF"),
    (b"MM\0*", "picture", "TIFF"),
    (b"II+\0", "picture", "TIFF"),
    (b"MM\0+", "picture", "TIFF"),
    (b"\x1a\x45\xdf\xa3", "video", "matroska"),
    (b"\x00\x00\x01\xba", "video", "mpeg"),
    (b"FLV\x01", "video", "flv"),
    (b"OggS", "video", "ogg"),
)
_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_STILL_BRANDS = (b"heic", b"heix", b"mif1", b"avif", b"avis")
_TS_PACKET = 188


class Kind(NamedTuple):
    """A recognised format; `format` is Pillow's name of a picture, FFmpeg's of a video."""

    media: Literal["picture", "video"]
    format: str


def sniff(head: bytes) -> Kind | None:
    """The allowed format that begins with `head` (up to 4096 bytes), None when there is none."""
    for beginning, media, name in _BEGINNINGS:
        if head.startswith(beginning):
            return Kind("picture" if media == "picture" else "video", name)
    if head[:4] == b"RIFF":
        riff = {b"WEBP": Kind("picture", "WEBP"), b"AVI ": Kind("video", "avi")}
        return riff.get(head[8:12])
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return Kind("picture", "PPM")
    if head[4:8] in _ATOMS and head[8:12] not in _STILL_BRANDS:
        return Kind("video", "mov")
    if len(head) > 2 * _TS_PACKET and {head[0], head[_TS_PACKET], head[2 * _TS_PACKET]} == {0x47}:
        return Kind("video", "mpegts")
    return None


def describe(head: bytes) -> str:
    """In a few words what unrecognised content looks like, for error messages."""
    if head[4:8] == b"ftyp":
        return "HEIC or AVIF"
    if head[:5] == b"%PDF-":
        return "PDF"
    if head[:4] == b"PK\x03\x04":
        return "a zip archive"
    if head and all(byte in _TEXT for byte in head[:512]):
        return "text"
    return "no known picture or video"


_TEXT = frozenset(range(32, 127)) | {9, 10, 12, 13, 27} | frozenset(range(128, 256))
