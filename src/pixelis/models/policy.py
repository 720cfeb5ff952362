"""What produces the next turn: profile, request, turn, and the protocol every policy follows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from pixelis.errors import ConfigError, ModelError
from pixelis.models.dialects import get_dialect
from pixelis.ops.workspace import PixelBudget

PROFILE_FILE = "pixelis.json"


@dataclass(frozen=True)
class Profile:
    """How one checkpoint wants to be spoken to; stored beside its weights as `pixelis.json`.

    Attributes:
        name: shown in episodes as the model.
        dialect: see `pixelis.models.dialects`.
        system: the system message; empty for none.
        tools_in_prompt: print the operations' schemas into the system message.
        budget: pixel range of every image the model is given.
        text_limit: most characters of read text quoted in an observation.
        new_tokens: most tokens of one turn.
        image_tokens: most tokens that the images of one episode take together, None for no limit;
            one token shows a square with sides of `budget.multiple` pixels.
    """

    name: str
    dialect: str = "qwen3-vl"
    system: str = ""
    tools_in_prompt: bool = False
    budget: PixelBudget = field(default_factory=PixelBudget)
    text_limit: int = 4000
    new_tokens: int = 512
    image_tokens: int | None = None


@dataclass(frozen=True)
class Request:
    """One conversation that waits for its next turn.

    Attributes:
        messages: in the dialect's form; images are placeholders.
        images: one for each placeholder, in order.
        tools: schemas to print into the system message; None prints none.
        seed: makes sampling this turn repeatable whatever else is in the batch.
    """

    messages: Sequence[Mapping[str, Any]]
    images: Sequence[Image.Image] = ()
    tools: Sequence[Mapping[str, Any]] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Turn:
    """What the model wrote.

    Attributes:
        text: without the closing token.
        token_ids: as sampled, the closing token included when it came.
        logprobs: log probability of each token at the sampling temperature (1 when greedy),
            before any top-p cut; None when the policy cannot tell.
        confidence: mean probability of the tokens, in [0, 1].
        ended: `stop` by its own closing token, `length` when cut off.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] | None = None
    confidence: float | None = None
    ended: Literal["stop", "length"] = "stop"


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen; temperature 0 takes the most likely one.

    Attributes:
        max_new_tokens: None takes the profile's `new_tokens`.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise ConfigError(f"temperature {self.temperature} is not allowed; give 0 or more")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p {self.top_p} is not allowed; give more than 0, at most 1")
        if self.max_new_tokens is not None and self.max_new_tokens < 1:
            raise ConfigError(
                f"max_new_tokens {self.max_new_tokens} is not allowed; give 1 or more"
            )

    def seed_of(self, request: Request) -> int:
        """What a turn is drawn from: the same wherever its model runs."""
        return self.seed * 1_000_003 + request.seed


class Policy(Protocol):
    """Anything that can take the next turn of many conversations at once.

    A policy may also have `abreast`, a whole number: how many calls of `generate` it takes at the
    same time, each from a thread of its own. Without it one at a time is made, with as many
    requests as there are.
    """

    @property
    def name(self) -> str: ...

    @property
    def profile(self) -> Profile: ...

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        """One turn for each request, in order.

        Raises ModelError when a request cannot be served, such as one whose images and
        placeholders differ in number; PartialError when the others were served all the same.
        """
        ...


class PartialError(ModelError):
    """Some requests of a batch failed; `outcomes` has a turn or an error for each, in order."""

    def __init__(self, outcomes: Sequence[Turn | ModelError]) -> None:
        errors = [each for each in outcomes if isinstance(each, ModelError)]
        super().__init__(str(errors[0]))
        self.outcomes = tuple(outcomes)


def write_profile(folder: Path, profile: Profile) -> None:
    """Stores the profile beside the weights in `folder`."""
    text = json.dumps(asdict(profile), indent=2, ensure_ascii=False)
    (folder / PROFILE_FILE).write_text(text + "\n", encoding="utf-8")


def read_profile(folder: Path) -> Profile | None:
    """The profile in `folder`, None when there is none; ConfigError when it cannot be read."""
    path = folder / PROFILE_FILE
    if not path.is_file():
        return None
    try:
        text = path.read_bytes()
        profile = _PROFILE.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise ConfigError(f"{path}: field {place}: {first['msg']}; fields are {NAMES}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from error
    if wrong := _unknown(json.loads(text)) or _wrong(profile):
        raise ConfigError(f"{path}: {wrong}")
    try:
        get_dialect(profile.dialect)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return profile


_PROFILE = TypeAdapter(Profile)
NAMES = ", ".join(item.name for item in fields(Profile))


def _unknown(record: dict[str, Any]) -> str:
    """The first field that a profile does not have; empty when there is none."""
    known = {item.name for item in fields(PixelBudget)}
    strange = [f"budget.{name}" for name in record.get("budget", {}) if name not in known]
    strange += [name for name in record if name not in NAMES.split(", ")]
    return f"field {strange[0]} is not known; fields are {NAMES}" if strange else ""


def _wrong(profile: Profile) -> str:
    """What no model could work with; empty when nothing is."""
    budget = profile.budget
    if not budget.sound:
        return (
            f"budget {budget.min_pixels} to {budget.max_pixels} pixels in multiples of "
            f"{budget.multiple} is not allowed; the first may not be more than the second, and "
            "that at least the multiple squared"
        )
    tokens = profile.image_tokens
    if profile.new_tokens < 1 or profile.text_limit < 0 or (tokens is not None and tokens < 1):
        return "new_tokens and image_tokens must be 1 or more, text_limit 0 or more"
    return ""
