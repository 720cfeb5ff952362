"""What `pixelis doctor` looks at. Each check gives findings; none of them changes anything."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

State = Literal["ok", "note", "bad"]
EXTRAS = {
    "train": ("trl", "peft", "accelerate", "datasets"),
    "serve": ("fastapi", "uvicorn", "prometheus_client"),
    "eval": ("inspect_ai",),
    "quantize": ("torchao", "accelerate"),
}
LEAST_DISK = 2_000_000_000
LEAST_MEMORY = 2_000_000_000
KFD = Path("/dev/kfd")
REINSTALL = "mend what is bad above; if nothing is, install the package again"


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        state: `bad` stops something from working, `note` may matter to you.
        cure: what to do; empty when nothing is wrong.
    """

    name: str
    state: State
    found: str
    cure: str = ""


def findings() -> Iterator[Finding]:
    """Everything, in the order of the report; slow ones come as they are done."""
    checks = (python, torch_build, device, network, pixels, extras, opencv, models, ocr, video)
    for check in checks:
        yield from attempted(check)
    yield disk(shutil.disk_usage(Path.cwd()).free)
    yield from memory()


def attempted(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; a library that cannot be imported is one of them."""
    try:
        yield from check()
    except (ImportError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        yield Finding(check.__name__, "bad", f"cannot be looked at: {reason}", REINSTALL)


def python() -> Iterator[Finding]:
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("python", "ok", found)


def torch_build() -> Iterator[Finding]:
    try:
        import torch
        import transformers
    except (ImportError, OSError) as error:
        reason = str(error).splitlines()[0]
        cure = "pip install -c constraints.txt torch transformers"
        yield Finding("torch", "bad", reason, cure)
        return
    hip = getattr(torch.version, "hip", None)
    build = f"ROCm {hip}" if hip else f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU"
    found = f"{torch.__version__} ({build} build), transformers {transformers.__version__}"
    yield Finding("torch", "ok", found)


def device() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        found = f"{name}, {free / 1e9:.1f} of {whole / 1e9:.1f} GB free"
        yield Finding("device", "ok", found)
    elif torch.backends.mps.is_available():
        yield Finding("device", "ok", "Apple GPU (mps)")
    else:
        yield Finding("device", "ok", f"CPU, {torch.get_num_threads()} threads")
        yield from nvidia(torch.version.cuda, Path("/proc/driver/nvidia/version").exists())
    if getattr(torch.version, "hip", None) or KFD.exists():
        hip = getattr(torch.version, "hip", None)
        readable = os.access(KFD, os.R_OK | os.W_OK)
        yield from rocm(hip, KFD.exists(), readable, os.environ, group_names())


def nvidia(build: str | None, driver: bool) -> Iterator[Finding]:
    """Why an NVIDIA GPU is not used, given torch's CUDA version and whether a driver is loaded."""
    if driver and not build:
        cure = "install a CUDA build of torch; this one is for CPUs only"
        yield Finding("cuda", "bad", "an NVIDIA driver is here, torch cannot use it", cure)
    elif driver:
        cure = "update the driver, or install a build of torch for an older CUDA"
        yield Finding("cuda", "bad", f"torch is built for CUDA {build}, but sees no GPU", cure)


def rocm(
    hip: str | None,
    kfd: bool,
    readable: bool,
    environment: Mapping[str, str],
    groups: Collection[str],
) -> Iterator[Finding]:
    """Findings about AMD GPUs.

    Args:
        hip: version that torch was built for, None for another build.
        kfd: whether the kernel's compute device `/dev/kfd` is there, and `readable` by this user.
        groups: names of the user's groups.
    """
    if not hip:
        cure = "to use it, install PyTorch's ROCm build first"
        yield Finding("rocm", "note", "an AMD GPU is here, torch has no ROCm build", cure)
        return
    if not kfd:
        cure = "install the amdgpu driver, or pass --device=/dev/kfd --device=/dev/dri to docker"
        yield Finding("rocm", "bad", "no compute device of an AMD GPU", cure)
    elif not readable:
        missing = [name for name in ("render", "video") if name not in groups]
        cure = f"sudo usermod -aG {','.join(missing or ['render'])} $USER, then log in again"
        yield Finding("rocm", "bad", "this user may not use the AMD GPU", cure)
    else:
        yield Finding("rocm", "ok", f"HIP {hip}")
    override = environment.get("HSA_OVERRIDE_GFX_VERSION", "")
    parts = override.split(".")
    if override and not (len(parts) == 3 and all(part.isalnum() for part in parts)):
        cure = "write three numbers: 10.3.0 for RDNA 2, 11.0.0 for RDNA 3"
        yield Finding("HSA_OVERRIDE_GFX_VERSION", "bad", override, cure)
    elif override:
        yield Finding("HSA_OVERRIDE_GFX_VERSION", "ok", override)
    else:
        cure = "if the card is not listed by ROCm, set 10.3.0 (RDNA 2) or 11.0.0 (RDNA 3)"
        yield Finding("HSA_OVERRIDE_GFX_VERSION", "note", "not set", cure)
    arch = environment.get("PYTORCH_ROCM_ARCH", "")
    if arch and not all(each.startswith("gfx") for each in arch.replace(",", ";").split(";")):
        cure = "write it like gfx1030;gfx1100; only building torch extensions needs it"
        yield Finding("PYTORCH_ROCM_ARCH", "bad", arch, cure)
    else:
        yield Finding("PYTORCH_ROCM_ARCH", "ok", arch or "not set (only builds need it)")


def group_names() -> set[str]:
    """The user's groups; empty where there are none."""
    try:
        import grp
    except ImportError:
        return set()
    names = set()
    for number in os.getgroups():
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:  # a group without a name, as containers have
            continue
    return names


def network() -> Iterator[Finding]:
    yield endpoint(os.environ)


def endpoint(environment: Mapping[str, str]) -> Finding:
    """Where hub ids would come from."""
    place = environment.get("HF_ENDPOINT", "")
    if place and not place.startswith(("http://", "https://")):
        return Finding("HF_ENDPOINT", "bad", place, "write a whole URL, beginning with https://")
    offline = environment.get("HF_HUB_OFFLINE", "") not in ("", "0")
    where = place or "the hub's own address"
    closed = ", but HF_HUB_OFFLINE forbids it" if offline else ""
    return Finding("HF_ENDPOINT", "ok", f"{where} (only with --allow-download{closed})")


def pixels() -> Iterator[Finding]:
    from pixelis.errors import ConfigError
    from pixelis.models.pixels import wanted

    try:
        found = wanted(os.environ)
    except ConfigError as error:
        yield Finding("pixels", "bad", str(error), "unset it, or give a whole number")
        return
    low, high = found.get("min_pixels", 1), found.get("max_pixels", sys.maxsize)
    if not 0 < low <= high:
        told = f"MIN_PIXELS {low}, MAX_PIXELS {high}"
        yield Finding("pixels", "bad", told, "MIN_PIXELS may not be more than MAX_PIXELS")
    else:
        told = ", ".join(f"{name.upper()} {value}" for name, value in found.items())
        yield Finding("pixels", "ok", told or "as each model wants them")


def extras() -> Iterator[Finding]:
    for name, modules in EXTRAS.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            cure = f"if you want it: pip install 'pixelis[{name}]'"
            yield Finding(f"extra {name}", "note", f"without {', '.join(missing)}", cure)
        else:
            yield Finding(f"extra {name}", "ok", "installed")


def opencv() -> Iterator[Finding]:
    names = {each.metadata["Name"] for each in importlib.metadata.distributions()}
    yield opencv_wheels(names)


def opencv_wheels(installed: Iterable[str]) -> Finding:
    """Several OpenCV wheels overwrite each other's files."""
    found = sorted({name for name in installed if name and name.startswith("opencv-")})
    if len(found) > 1:
        cure = f"pip uninstall -y {' '.join(found)}; pip install opencv-python-headless"
        return Finding("opencv", "bad", f"{' and '.join(found)} overwrite each other", cure)
    if not found:
        return Finding("opencv", "bad", "not installed", "pip install opencv-python-headless")
    return Finding("opencv", "ok", found[0])


def models() -> Iterator[Finding]:
    """The bundled models, each really loaded and run for a token."""
    from pixelis.errors import PixelisError
    from pixelis.models.load import BUNDLED, bundled, load_policy
    from pixelis.models.policy import Request, Sampling

    for name in BUNDLED:
        if not (bundled(name) / "config.json").is_file():
            yield Finding(f"model {name}", "note", "not in this installation")
            continue
        try:
            policy = load_policy(name, device="cpu")
            asked = Request([{"role": "user", "content": "Hello?"}])
            policy.generate([asked], Sampling(max_new_tokens=1))
        except (PixelisError, RuntimeError) as error:
            cure = "install the package again"
            yield Finding(f"model {name}", "bad", str(error).splitlines()[0], cure)
        else:
            yield Finding(f"model {name}", "ok", "loads and answers")


def ocr() -> Iterator[Finding]:
    """A word is drawn and read."""
    from PIL import Image, ImageDraw, ImageFont

    from pixelis.episode import Call
    from pixelis.media import open_media
    from pixelis.ops.registry import REGISTRY
    from pixelis.ops.workspace import Workspace

    image = Image.new("RGB", (320, 120), "white")
    ImageDraw.Draw(image).text((40, 30), "HARBOUR", "black", ImageFont.load_default(48))
    call = Call("read_text", {"bbox_2d": [0, 0, 1000, 1000]})
    seen = REGISTRY.run(call, Workspace(open_media(image)))
    if seen.error is None and "HARBOUR" in seen.text:
        yield Finding("ocr", "ok", "reads a word")
    else:
        cure = "pip install -c constraints.txt rapidocr onnxruntime"
        yield Finding("ocr", "bad", (seen.error or seen.text).splitlines()[0], cure)


def video() -> Iterator[Finding]:
    try:
        import av
    except (ImportError, OSError) as error:
        yield Finding("video", "bad", str(error).splitlines()[0], "pip install av")
        return
    wanted = ("h264", "hevc", "vp9", "mpeg4")
    missing = [name for name in wanted if name not in av.codecs_available]
    if missing:
        cure = "install PyAV's own wheel; this one has fewer decoders"
        yield Finding("video", "note", f"cannot decode {', '.join(missing)}", cure)
    else:
        yield Finding("video", "ok", f"PyAV {av.__version__}")


def disk(free: int) -> Finding:
    told = f"{free / 1e9:.1f} GB free here"
    if free < LEAST_DISK:
        return Finding("disk", "bad", told, "make room; checkpoints and runs need gigabytes")
    return Finding("disk", "ok", told)


def memory() -> Iterator[Finding]:
    from pixelis.models.memory import free_bytes

    yield memory_left(free_bytes())


def memory_left(free: int | None) -> Finding:
    if free is None:
        return Finding("memory", "note", "this system does not tell")
    told = f"{free / 1e9:.1f} GB available"
    if free < LEAST_MEMORY:
        return Finding("memory", "bad", told, "close something, or give the container more")
    return Finding("memory", "ok", told)
