import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from pixelis.agent.background import Background


@pytest.fixture
def background():
    made = Background("test-background")
    yield made
    made.close()


async def where():
    return threading.current_thread().name


def test_work_runs_on_the_one_thread(background):
    assert {background.submit(where()).result(10) for _ in range(3)} == {"test-background"}


def test_what_work_raises_comes_back(background):
    async def broken():
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        background.submit(broken()).result(10)


def test_closing_cancels_what_runs_and_starts_anew_later(background):
    endless = background.submit(asyncio.sleep(1000))
    background.close()
    with pytest.raises(CancelledError):
        endless.result(10)
    assert "test-background" not in {thread.name for thread in threading.enumerate()}
    assert background.submit(where()).result(10) == "test-background"


def test_closing_one_that_never_started():
    Background("idle").close()
