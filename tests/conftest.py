"""Rules for every test: GPU, network and verl tests wait for theirs, CI skips nothing else."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable

import pytest
from hypothesis import settings

NEEDS_MACHINE = {"gpu", "network", "verl"}
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """GPU tests run where there is CUDA, network tests where PIXELIS_NETWORK=1 allows them."""
    for item in items:
        if item.get_closest_marker("gpu") and not _has_cuda():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))
        if item.get_closest_marker("network") and os.environ.get("PIXELIS_NETWORK") != "1":
            item.add_marker(pytest.mark.skip(reason="set PIXELIS_NETWORK=1 to use the network"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI=true a skipped test failed, unless a GPU, the network or verl is what it lacks."""
    report = yield
    lacks_machine = any(item.get_closest_marker(name) for name in NEEDS_MACHINE)
    if report.skipped and not hasattr(report, "wasxfail") and not lacks_machine and _in_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file must not skip itself in CI either."""
    report = yield
    if report.skipped and _in_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
