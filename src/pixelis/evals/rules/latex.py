"""LaTeX evened out, and the value of a formula made of numbers, by descent; nothing is executed.

Understood: + - * / ^, brackets, `\\frac`, `\\sqrt`, `\\pi`, `\\cdot`, `\\times`, `\\div`, percent,
degrees, thousands separators, and products written without a sign (`2\\pi`).
"""

from __future__ import annotations

import math
import re

LONGEST = 400  # letters; longer ones are not computed
DEEPEST = 40
NAMES = r"text|mathrm|mathbf|textbf|mathit|operatorname|mbox"
SPACES = re.compile(r"\\[,;:! ]|\\q?quad|~|\s")
UNITS = re.compile(
    r"(?<=[\d}])(?:cm|mm|km|m|kg|g|seconds?|s|hours?|h|minutes?|min|degrees?|units?|"
    r"dollars?|euros?|feet|ft|inches|in|yards?|miles?)(?:\^\{?[23]\}?)?$"
)
TOKEN = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+|\\[a-zA-Z]+|[-+*/^(){}\[\]%]")


def plain(text: str) -> str:
    """A formula without dollar signs, bracket sizes, units and spaces; fractions in one form."""
    text = text.strip().strip("$").strip()
    text = re.sub(r"^\\[(\[]|\\[)\]]$", "", text)
    text = text.replace("\\left", "").replace("\\right", "").replace("\\displaystyle", "")
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("\\$", "")
    text = re.sub(rf"\\(?:{NAMES})\s*\{{([^{{}}]*)\}}", r"\1", text)
    text = re.sub(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|°|\\degree", "", text)
    text = text.replace("\\%", "%").replace("\\cdot", "*").replace("\\times", "*")
    text = text.replace("\\div", "/").replace("×", "*").replace("÷", "/").replace("−", "-")
    text = text.replace("π", "\\pi").replace("√", "\\sqrt")
    text = SPACES.sub("", text).rstrip(".")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"\\frac(\d)(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\sqrt(\d)", r"\\sqrt{\1}", text)
    text = re.sub(r"^[a-zA-Z]=(?=.)", "", text)
    return UNITS.sub("", text).strip()


def value(formula: str) -> float | None:
    """What a `plain` formula comes to; None when it holds more than numbers, or no finite value."""
    if len(formula) > LONGEST:
        return None
    tokens = TOKEN.findall(formula)
    if not tokens or "".join(tokens) != formula:
        return None
    try:
        parser = _Parser(tokens)
        result = parser.sum(0)
        whole = parser.at == len(tokens)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return result if whole and math.isfinite(result) else None


class _Parser:
    """Descends over tokens; ValueError where they are no formula."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def sum(self, depth: int) -> float:
        total = self.product(depth)
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            total += sign * self.product(depth)
        return total

    def product(self, depth: int) -> float:
        total = self.signed(depth)
        while (token := self.peek()) and token not in ("+", "-", ")", "}", "]"):
            if token == "/":
                self.take()
                total /= self.signed(depth)
            else:
                if token == "*":
                    self.take()
                total *= self.signed(depth)
        return total

    def signed(self, depth: int) -> float:
        if self.peek() in ("+", "-"):
            return (1 if self.take() == "+" else -1) * self.signed(depth + 1)
        return self.power(depth)

    def power(self, depth: int) -> float:
        base = self.atom(depth)
        if self.peek() == "^":
            self.take()
            exponent = self.group(depth) if self.peek() == "{" else self.signed(depth + 1)
            if abs(exponent) > 100 or (base < 0 and exponent != int(exponent)):
                raise ValueError("no real power")
            base = base**exponent
        while self.peek() == "%":
            self.take()
            base /= 100
        return base

    def atom(self, depth: int) -> float:
        token = self.take()
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        if token in ("(", "["):
            return self.closed(depth, ")" if token == "(" else "]")
        if token == "{":
            return self.closed(depth, "}")
        if token == "\\pi":
            return math.pi
        if token == "\\frac":
            over = self.group(depth)
            return over / self.group(depth)
        if token == "\\sqrt":
            return self.root(depth)
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        raise ValueError(f"unexpected {token}")

    def root(self, depth: int) -> float:
        degree = 2.0
        if self.peek() == "[":
            self.take()
            degree = self.closed(depth, "]")
        inner = self.group(depth) if self.peek() == "{" else self.atom(depth + 1)
        if inner < 0 or degree == 0:
            raise ValueError("no real root")
        return inner ** (1 / degree)

    def group(self, depth: int) -> float:
        if self.take() != "{":
            raise ValueError("a group is needed")
        return self.closed(depth, "}")

    def closed(self, depth: int, mark: str) -> float:
        inner = self.sum(depth + 1)
        if self.take() != mark:
            raise ValueError(f"{mark} is needed")
        return inner

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise ValueError("ends too early")
        self.at += 1
        return token
