from __future__ import annotations

import pytest

from pixelis.cli.health import (
    Finding,
    attempted,
    disk,
    endpoint,
    extras,
    memory_left,
    nvidia,
    ocr,
    opencv_wheels,
    pixels,
    rocm,
    video,
)


def states(found) -> dict[str, str]:
    return {each.name: each.state for each in found}


def test_a_gpu_that_torch_cannot_use():
    assert list(nvidia(None, False)) == list(nvidia("12.8", False)) == []
    assert "install a CUDA build" in next(nvidia(None, True)).cure
    assert "update the driver" in next(nvidia("12.8", True)).cure


def test_an_amd_gpu():
    assert next(rocm(None, True, True, {}, ())).state == "note"
    assert "amdgpu driver" in next(rocm("6.4", False, False, {}, ())).cure
    refused = next(rocm("6.4", True, False, {}, {"video"}))
    assert refused.state == "bad"
    assert "usermod -aG render $USER" in refused.cure
    assert "render,video" in next(rocm("6.4", True, False, {}, ())).cure
    fine = states(rocm("6.4", True, True, {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"}, ()))
    assert set(fine.values()) == {"ok"}
    assert states(rocm("6.4", True, True, {}, ()))["HSA_OVERRIDE_GFX_VERSION"] == "note"


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("HSA_OVERRIDE_GFX_VERSION", "gfx1030", "bad"),
        ("HSA_OVERRIDE_GFX_VERSION", "10.3", "bad"),
        ("PYTORCH_ROCM_ARCH", "gfx1030;gfx1100", "ok"),
        ("PYTORCH_ROCM_ARCH", "1030", "bad"),
    ],
)
def test_the_variables_of_rocm(name, value, state):
    assert states(rocm("6.4", True, True, {name: value}, ()))[name] == state


def test_where_the_hub_is():
    assert endpoint({}).state == "ok"
    assert "mirror.test" in endpoint({"HF_ENDPOINT": "https://mirror.test"}).found
    assert endpoint({"HF_ENDPOINT": "mirror.test"}).state == "bad"
    assert "forbids" in endpoint({"HF_HUB_OFFLINE": "1"}).found


def test_wheels_of_opencv_that_overwrite_each_other():
    assert opencv_wheels(["opencv-python-headless", "numpy"]).state == "ok"
    both = opencv_wheels(["opencv-python", "opencv-contrib-python"])
    assert both.state == "bad"
    assert "pip uninstall -y opencv-contrib-python opencv-python" in both.cure
    assert opencv_wheels([]).state == "bad"


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [(None, None, "ok"), ("9", "10", "ok"), ("10", "9", "bad"), ("x", None, "bad")],
)
def test_the_pixels_of_the_environment(monkeypatch, low, high, state):
    for name, value in (("MIN_PIXELS", low), ("MAX_PIXELS", high)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert [each.state for each in pixels()] == [state]


def test_room():
    assert (disk(10**12).state, disk(10**6).state) == ("ok", "bad")
    assert [memory_left(n).state for n in (10**12, 10**6, None)] == ["ok", "bad", "note"]


def test_what_is_installed_here_works():
    assert states(ocr()) == {"ocr": "ok"}
    assert states(video()) == {"video": "ok"}
    assert states(extras())["extra train"] == "ok"


def test_a_library_that_cannot_be_imported_is_a_finding():
    def broken():
        yield Finding("first", "ok", "fine")
        raise ImportError("libx.so: cannot open\nmore")

    first, second = attempted(broken)
    assert first.state == "ok"
    assert (second.name, second.state) == ("broken", "bad")
    assert second.found == "cannot be looked at: libx.so: cannot open"
    assert second.cure
