"""How much memory a device has left."""

from __future__ import annotations

import os
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def free_bytes(device: str = "cpu") -> int | None:
    """Bytes that can still be taken, None where the system does not tell.

    On a CPU what the kernel calls available, or what the container's limit leaves if that is less.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    known = [each for each in (available(MEMINFO), container_left(CGROUP)) if each is not None]
    if known:
        return min(known)
    try:  # elsewhere only the whole memory is told
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def available(meminfo: Path) -> int | None:
    """`MemAvailable` of Linux, in bytes."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found) * 1024


def container_left(cgroup: Path) -> int | None:
    """What the limit of a version 2 control group leaves, in bytes; None without a limit."""
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        used = int((cgroup / "memory.current").read_text())
        reclaimable = _reclaimable((cgroup / "memory.stat").read_text())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(int(limit) - used + reclaimable, 0)


def _reclaimable(stat: str) -> int:
    """Bytes of file cache, which the kernel gives back when they are wanted."""
    pairs = dict(line.split() for line in stat.splitlines() if line)
    return int(pairs.get("inactive_file", 0))
