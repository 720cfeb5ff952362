"""Private things taken out of texts before they are stored: addresses, phones, cards, keys.

Every pattern asks for what makes the thing what it is (an @, a country code, a check digit, a
vendor's prefix), so that ordinary numbers survive: "512 cars built in 2019" stays as it is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "KEY",
        re.compile(
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}\b|\bsk-[\w-]{20,}\b"
            r"|\bxox[abprs]-[\w-]{10,}\b|\bAIza[\w-]{35}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
            r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
        ),
    ),
    (
        "KEY",
        re.compile(
            r"(?<=[=:\s])(?<![\w-])(?=[A-Za-z0-9+/_-]*[0-9])(?=[A-Za-z0-9+/_-]*[a-z])"
            r"(?=[A-Za-z0-9+/_-]*[A-Z])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w-])"
        ),
    ),
    ("EMAIL", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")),
    ("IBAN", re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("CARD", re.compile(r"(?<![\w.])[0-9](?:[ -]?[0-9]){12,18}(?![\w.]*[0-9])")),
    (
        "SSN",
        re.compile(r"(?<![\w-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])"),
    ),
    ("IP", re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.]*[0-9])")),
    (
        "PHONE",
        re.compile(
            r"(?<![\w.])(?:\+|00)[1-9][0-9]{0,2}(?:[ ./-]?\(?[0-9]{1,4}\)?){2,5}(?![\w]*[0-9])"
            r"|(?<![\w.])\(0?[0-9]{2,4}\) ?[0-9]{3,4}[ -][0-9]{3,4}(?![\w-]*[0-9])"
            r"|(?<![\w.-])[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}(?![\w-]*[0-9])"
            r"|(?<![\w.-])0[1-9][0-9]{1,3}[ /-][0-9]{5,8}(?![\w-]*[0-9])"
        ),
    ),
)


def _luhn(text: str) -> bool:
    digits = [int(letter) for letter in text if letter.isdigit()][::-1]
    doubled = [value * 2 - 9 * (value > 4) for value in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    number = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return int(number) % 97 == 1


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _phone(text: str) -> bool:
    return 7 <= sum(letter.isdigit() for letter in text) <= 15


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "CARD": _luhn, "IBAN": _iban, "IP": _address, "PHONE": _phone,
}  # fmt: skip


def redact(text: str) -> str:
    """The text with `[EMAIL]`, `[PHONE]`, `[CARD]`, `[IBAN]`, `[SSN]`, `[IP]`, `[KEY]` in place of
    such things. Doing it twice changes nothing more.
    """
    for name, pattern in _PATTERNS:
        text = pattern.sub(partial(_hidden, name), text)
    return text


def _hidden(name: str, match: re.Match[str]) -> str:
    """The placeholder, or the text itself when it fails its check."""
    check = _CHECKS.get(name)
    return f"[{name}]" if check is None or check(match[0]) else match[0]


def redact_all(value: Any, hook: Callable[[str], str] = redact) -> Any:
    """Plain JSON values with every text in them redacted, keys too: what votes are counted by is an
    answer. Keys that become the same are numbered."""
    if isinstance(value, str):
        return hook(value)
    if isinstance(value, Mapping):
        made: dict[Any, Any] = {}
        for key, item in value.items():
            name = told = hook(key) if isinstance(key, str) else key
            number = 1
            while told in made:
                number += 1
                told = f"{name} {number}"
            made[told] = redact_all(item, hook)
        return made
    if isinstance(value, list | tuple):
        return [redact_all(item, hook) for item in value]
    return value
