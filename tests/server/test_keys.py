"""Keys: what they allow, how they are read, and what is wrong with a file."""

from __future__ import annotations

import hashlib

import pytest

from pixelis.errors import ConfigError
from pixelis.server.keys import OWNER, ROLES, Key, Keys, read_keys, single


def test_each_role_allows_those_below_it():
    for mine, role in enumerate(ROLES):
        for other, wanted in enumerate(ROLES):
            assert Key("x", role, "").allows(wanted) == (mine >= other)
    assert OWNER.allows("admin")


def test_a_file_names_keys_in_clear_or_by_hash(tmp_path):
    digest = hashlib.sha256(b"hidden-key-1").hexdigest()
    path = tmp_path / "keys.toml"
    first, second = '[a]\nrole = "ask"\nkey = "plain-key-1"\n', '[b]\nrole = "admin"\n'
    path.write_text(f'{first}{second}sha256 = "{digest.upper()}"\n')
    keys = Keys(read_keys(path))
    assert keys.find("plain-key-1").name == "a"
    assert keys.find("hidden-key-1").role == "admin"
    assert keys.find(digest) is None  # the hash is not the key
    assert keys.find("") is None
    assert keys.find("schlüssel\ud800") is None
    assert "plain-key-1" not in repr(vars(keys))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no key"),
        ("[a]\nrole = 'boss'\nkey = 'long-enough'", "ask, review, admin"),
        ("[a]\nrole = 'ask'", "either key or sha256"),
        ("[a]\nrole = 'ask'\nkey = 'short'", "at least 8"),
        ("[a]\nrole = 'ask'\nkey = 'long-enough'\nuntil = 3", "until"),
        ("[a]\nrole = 'ask'\nsha256 = 'xyz'", "64 hexadecimal"),
        ("a = 1", "[a] needs a role"),
        ("[a", "keys.toml"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, said):
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_keys(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_are_not_used_twice():
    with pytest.raises(ConfigError, match="key"):
        Keys([single("long-enough-1"), single("long-enough-2")])
