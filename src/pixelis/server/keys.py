"""API keys and what they allow: `ask` questions, `review` what was learned, `admin` everything."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pixelis.errors import ConfigError

Role = Literal["ask", "review", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each allows what those before it allow
LEAST_LETTERS = 8


@dataclass(frozen=True)
class Key:
    """Who may do what; the key itself is not kept.

    Attributes:
        name: shown in logs and kept with episodes.
        digest: SHA-256 of the key, 64 hexadecimal digits.
    """

    name: str
    role: Role
    digest: str

    def allows(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


# Whoever sits at this machine, when no key is set.
OWNER = Key("local", "admin", "")


class Keys:
    """All keys of a server; empty means that none is asked for."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)
        names = [key.name for key in self._keys]
        if double := {name for name in names if names.count(name) > 1}:
            raise ConfigError(f"two API keys are called {double.pop()!r}; give each its own name")

    def __bool__(self) -> bool:
        return bool(self._keys)

    def find(self, token: str) -> Key | None:
        """The key with this secret; every one is compared, in constant time."""
        digest = digest_of(token)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def single(token: str) -> Key:
    """The one key of a server that has only one; it allows everything."""
    return Key("key", "admin", digest_of(_checked(token, "--api-key")))


def read_keys(path: Path) -> list[Key]:
    """The keys in a TOML file with a table for each: `[name]`, `role`, and `key` or `sha256`.

    ConfigError names the file, the table and what is wrong with it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a readable TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not tables:
        raise ConfigError(f'{path}: holds no key; write [NAME], role = "ask", key = "..."')
    return [_read(path, name, table) for name, table in tables.items()]


def _read(path: Path, name: str, table: object) -> Key:
    where = f"{path}: [{name}]"
    if not isinstance(table, dict) or table.get("role") not in ROLES:
        raise ConfigError(f"{where} needs a role: {', '.join(ROLES)}")
    if strange := set(table) - {"role", "key", "sha256"}:
        raise ConfigError(f"{where} {strange.pop()!r} is not known; give role, and key or sha256")
    key, digest = table.get("key"), table.get("sha256")
    if isinstance(key, str) and digest is None:
        return Key(name, table["role"], digest_of(_checked(key, where)))
    if isinstance(digest, str) and key is None and _is_digest(digest):
        return Key(name, table["role"], digest.lower())
    raise ConfigError(f"{where} needs either key or sha256 (64 hexadecimal digits)")


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdefABCDEF" for letter in text)


def _checked(token: str, where: str) -> str:
    if len(token) < LEAST_LETTERS or not token.isascii() or not token.isprintable():
        raise ConfigError(f"{where}: a key has at least {LEAST_LETTERS} plain letters and digits")
    return token
