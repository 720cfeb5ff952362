from __future__ import annotations

import base64
import hashlib
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import MediaError
from pixelis.media import Limits, Picture, open_picture

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(width: int = 40, height: int = 20) -> Image.Image:
    """Red, green / blue, white quarters: every turn and mirror is told apart."""
    image = Image.new("RGB", (width, height))
    for color, x, y in ((RED, 0, 0), (GREEN, 1, 0), (BLUE, 0, 1), (WHITE, 1, 1)):
        image.paste(color, (x * width // 2, y * height // 2, (x + 1) * width // 2, height))
    return image


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corners(picture: Picture) -> list[tuple[int, int, int]]:
    """Pixels near the four corners: top-left, top-right, bottom-left, bottom-right."""
    width, height = picture.size
    places = ((2, 2), (width - 3, 2), (2, height - 3), (width - 3, height - 3))
    return [picture.image.getpixel(place) for place in places]


def near(found: object, wanted: object, tolerance: int = 40) -> bool:
    return bool(np.abs(np.array(found, int) - np.array(wanted, int)).max() <= tolerance)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_every_allowed_format_decodes_to_its_colors(format: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(encoded(quarters(), format))
    picture = open_picture(path)
    assert picture.image.mode == "RGB"
    assert picture.size == (40, 20)
    assert near(corners(picture), [RED, GREEN, BLUE, WHITE])
    assert picture.name == "picture.bin"
    assert picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(format: str, orientation: int, expected: list) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_picture(encoded(quarters(), format, exif=exif))
    assert picture.size == ((20, 40) if orientation >= 5 else (40, 20))
    assert near(corners(picture), expected)
    assert "exif" not in picture.image.info


def test_broken_exif_leaves_the_picture_as_it_lies() -> None:
    picture = open_picture(encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"))
    assert near(corners(picture), [RED, GREEN, BLUE, WHITE])


def test_alpha_is_flattened_on_white() -> None:
    image = quarters().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    image.paste((0, 0, 255, 128), (0, 0, 20, 20))
    for format in ("PNG", "WEBP", "TIFF"):
        picture = open_picture(encoded(image, format))
        assert near(picture.image.getpixel((5, 5)), (127, 127, 255), 3)
        assert near(picture.image.getpixel((35, 5)), WHITE, 3)


def test_palette_with_transparency_gray_alpha_and_cmyk() -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((0, 0), 0)
    picture = open_picture(encoded(palette, "PNG", transparency=0))
    assert [picture.image.getpixel(p) for p in ((0, 0), (1, 0))] == [WHITE, BLUE]
    assert (
        open_picture(encoded(Image.new("LA", (4, 4), (0, 0)), "PNG")).image.getpixel((0, 0))
        == WHITE
    )
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert near(open_picture(encoded(cmyk, "JPEG")).image.getpixel((4, 4)), RED)
    assert open_picture(encoded(Image.new("1", (4, 4), 1), "PNG")).image.getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_gray_keeps_its_brightness(format: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None, :].repeat(4, 0)
    picture = open_picture(encoded(Image.fromarray(ramp), format))
    values = np.asarray(picture.image)[0, :, 0].astype(int)
    assert np.abs(values - np.arange(256)).max() <= 1


def test_wide_modes_are_scaled_not_clipped() -> None:
    gray = np.tile(np.arange(0, 256, dtype=np.float32), (2, 1))
    for array in (gray / 255, gray, gray * 1000 - 500):
        values = np.asarray(open_picture(Image.fromarray(array)).image)[0, :, 0].astype(int)
        assert np.abs(values - np.arange(256)).max() <= 1
    wide = Image.fromarray((gray * 257).astype(np.int32))
    values = np.asarray(open_picture(wide).image)[0, :, 0].astype(int)
    assert np.abs(values - np.arange(256)).max() <= 1


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (GREEN, RED)]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
        assert near(open_picture(data).image.getpixel((4, 4)), GREEN, 2)


@pytest.mark.parametrize(
    "array",
    [
        np.full((5, 7, 3), (10, 20, 30), np.uint8),
        np.full((5, 7, 4), (10, 20, 30, 255), np.uint8),
        np.full((5, 7, 3), np.array((10, 20, 30)) / 255),
    ],
)
def test_color_arrays(array: np.ndarray) -> None:
    before = array.copy()
    picture = open_picture(array, name="frame")
    assert (picture.size, picture.name) == ((7, 5), "frame")
    assert picture.image.getpixel((6, 4)) == (10, 20, 30)
    assert (array == before).all()


def test_gray_arrays() -> None:
    for array in (
        np.full((5, 7), 200, np.uint8),
        np.full((5, 7, 1), 200, np.uint8),
        np.full((5, 7), 200 * 257, np.uint16),
        np.full((5, 7), 200 / 255, np.float32),
    ):
        assert open_picture(array).image.getpixel((0, 0)) == (200, 200, 200)
    assert open_picture(np.ones((5, 7), bool)).image.getpixel((0, 0)) == WHITE


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4), np.int64),
        np.full((4, 4), 1.5),
        np.full((4, 4), np.nan),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.array([["a"]]),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(MediaError, match="allowed"):
        open_picture(array)


def test_a_pil_image_is_not_changed() -> None:
    image = quarters().convert("RGBA")
    picture = open_picture(image)
    assert image.mode == "RGBA"
    picture.image.paste(RED, (0, 0, 40, 20))
    assert image.getpixel((35, 15))[:3] == WHITE


def test_data_url() -> None:
    data = encoded(quarters(), "PNG")
    text = base64.b64encode(data).decode()
    for payload in (text, text[:10] + "\n " + text[10:], text.replace("=", "%3D")):
        picture = open_picture(f"data:image/png;base64,{payload}")
        assert near(corners(picture), [RED, GREEN, BLUE, WHITE])
        assert picture.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:image/png;base64,!!!!", "broken base64"),
        ("data:image/png;base64,AAA", "broken base64"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png,abc", "not base64"),
        ("data:", "not base64"),
        ("data:image/png;base64,é", "broken base64"),
        ("data:image/png;base64,aGVsbG8gd29ybGQ=", "text"),
    ],
)
def test_bad_data_urls(url: str, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        open_picture(url)


def test_data_url_is_capped_before_decoding() -> None:
    with pytest.raises(MediaError, match="up to 1000 bytes"):
        open_picture("data:image/png;base64," + "!" * 5000, Limits(max_bytes=1000))


def test_caps_on_bytes_and_pixels(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    path.write_bytes(encoded(quarters(), "PNG"))
    with pytest.raises(MediaError, match=r"big\.png: has \d+ bytes; allowed: up to 50 bytes"):
        open_picture(path, Limits(max_bytes=50))
    limits = Limits(max_pixels=799)
    for source in (path, path.read_bytes(), quarters(), np.asarray(quarters())):
        with pytest.raises(MediaError, match="has 40x20 pixels; allowed: up to 799 px"):
            open_picture(source, limits)
    assert open_picture(path, Limits(max_pixels=800)).size == (40, 20)


def test_what_a_path_may_be_instead_of_a_picture(tmp_path: Path) -> None:
    files = {
        "empty.png": b"",
        "letter.jpg": b"Dear Sir or Madam,\n",
        "page.png": b"%PDF-1.7\n",
        "bundle.png": b"PK\x03\x04" + bytes(40),
        "photo.png": b"\0\0\0\x18ftypheic" + bytes(40),
        "noise.png": bytes(range(256)),
        "cut.png": encoded(quarters(), "PNG")[:60],
        "head.jpg": encoded(quarters(), "JPEG")[:100],
    }
    reasons = ["empty", "text", "PDF", "zip", "HEIC", "no known", "damaged", "damaged"]
    for (name, data), reason in zip(files.items(), reasons, strict=True):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=reason) as caught:
            open_picture(tmp_path / name)
        message = str(caught.value)
        assert message.startswith(str(tmp_path / name) + ": ")
        assert "\n" not in message
        assert "png, jpeg" in message
        assert "object at" not in message
    with pytest.raises(MediaError, match="is a folder"):
        open_picture(tmp_path)
    with pytest.raises(MediaError, match="no such file"):
        open_picture(tmp_path / "missing.png")
    with pytest.raises(MediaError, match="no such file"):
        open_picture(tmp_path / "letter.jpg" / "inside.png")


@pytest.mark.parametrize("given", ["", "a\0b", "x" * 5000, None, 5, ["a.png"]])
def test_sources_that_are_nothing(given: object) -> None:
    with pytest.raises(MediaError) as caught:
        open_picture(given)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_names_cannot_break_the_line(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines\x1b[31m.png"
    path.write_bytes(b"hello")
    with pytest.raises(MediaError) as caught:
        open_picture(path)
    assert str(caught.value).isprintable()


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    pixels = zlib.compress(b"\0" * 1000)
    data = struct.pack(">I", len(pixels)) + b"IDAT" + pixels
    return b"\x89PNG\r\n\x1a\n" + chunk + data + struct.pack(">I", zlib.crc32(b"IDAT" + pixels))


def patched_jpeg(width: int, height: int) -> bytes:
    data = encoded(quarters(), "JPEG")
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


BOMBS = {
    "png": png_header(50_000, 50_000),
    "gif": b"GIF89a"
    + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
    + struct.pack("<cHHHHBB", b",", 0, 0, 65535, 65535, 0, 8),
    "bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 60000, 60000, 1, 24, *[0] * 6),
    "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\x00\xff\xff\x00" + bytes(20),
    "webp lossless": b"RIFF\x1e\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f" + bytes(20),
    "ppm": b"P6 50000 50000 255\n" + bytes(100),
    "jpeg": patched_jpeg(65000, 65000),
    "tiff": encoded(quarters(), "TIFF")
    .replace(struct.pack("<HHII", 256, 4, 1, 40), struct.pack("<HHII", 256, 4, 1, 50000))
    .replace(struct.pack("<HHII", 257, 4, 1, 20), struct.pack("<HHII", 257, 4, 1, 50000)),
}


@pytest.mark.parametrize("kind", list(BOMBS))
def test_decompression_bombs_are_refused_before_decoding(kind: str) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaError) as caught:
        open_picture(BOMBS[kind], name="bomb")
    assert str(caught.value).startswith("bomb: ")
    assert " pixels" in str(caught.value)
    assert str(caught.value).endswith("allowed: up to 64 Mpx")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 64 * 1024, "the peak grew by 64 MiB"


def test_warnings_of_the_decoder_do_not_leak() -> None:
    palette = quarters().convert("P")
    palette.info["transparency"] = bytes([0, 255, 128])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        open_picture(palette)
        filters = list(warnings.filters)
        open_picture(encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"))
    assert caught == []
    assert filters, "the caller's filters were put back"


def test_a_picture_closes_like_a_video() -> None:
    with open_picture(quarters()) as picture:
        assert picture.size == (40, 20)
