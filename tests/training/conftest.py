import pytest

from pixelis.training import pool
from pixelis.training.vocabulary import make_tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return make_tokenizer(3)


@pytest.fixture(scope="session")
def records():
    return [pool.draw_record(5, number) for number in range(12)]
