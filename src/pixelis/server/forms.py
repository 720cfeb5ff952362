"""The JSON of the API: what may be asked, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST_LETTERS = 20_000  # of one text
MOST_MESSAGES = 200


def whole(text: str) -> str:
    """The text with a mark for halves of characters, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _checked(text: str) -> str:
    if whole(text) != text:
        raise ValueError("holds half of a character (a lone surrogate); send whole ones")
    return text


Text = Annotated[str, AfterValidator(_checked)]


class Form(BaseModel):
    """Unknown fields are refused: what is not honoured must not look as if it were."""

    model_config = ConfigDict(extra="forbid")


def _address(given: Any) -> Any:
    """Some clients send the address alone."""
    return {"url": given} if isinstance(given, str) else given


class ImageAddress(BaseModel):
    """A picture or clip as a data URL; other addresses are refused, nothing is fetched."""

    url: str = Field(description="data:image/png;base64,... or data:video/mp4;base64,...")
    detail: str | None = Field(None, description="not used: pictures are shown as the model is")


class Part(BaseModel):
    """A piece of a message: text, a picture (`image_url`) or a clip (`video_url`)."""

    type: Literal["text", "image_url", "video_url"]
    text: Text | None = Field(None, max_length=MOST_LETTERS)
    image_url: Annotated[ImageAddress | None, BeforeValidator(_address)] = None
    video_url: Annotated[ImageAddress | None, BeforeValidator(_address)] = None


class Message(BaseModel):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[Part] | None = None


class Wishes(Form):
    """Our own additions to a request.

    Attributes:
        max_steps: most turns of the model, the answer included.
        pictures: send what was seen with every step: shapes on the source, crops and frames.
    """

    max_steps: int = Field(default=6, ge=1, le=32)
    pictures: bool = False


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatForm(Form):
    """A question, in the shape of OpenAI's chat completions."""

    model: Text = Field(min_length=1, max_length=200, description="one of /v1/models")
    messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(1, ge=1, le=8, description="how many answers; seeds count up from seed")
    max_tokens: int | None = Field(None, ge=1, le=32_768, description="most tokens of one turn")
    max_completion_tokens: int | None = Field(None, ge=1, le=32_768, description="the same")
    temperature: float | None = Field(0.0, ge=0, le=2, description="0 takes the likeliest token")
    top_p: float | None = Field(1.0, gt=0, le=1)
    seed: int | None = Field(0, ge=0, le=2**53)
    user: str | None = Field(None, max_length=200, description="kept in the log only")
    metadata: dict[str, Any] | None = Field(None, description="accepted and not used")
    store: bool | None = Field(None, description="accepted and not used")
    presence_penalty: Literal[0] | None = Field(None, description="only 0 is possible")
    frequency_penalty: Literal[0] | None = Field(None, description="only 0 is possible")
    pixelis: Wishes = Field(default_factory=lambda: Wishes())


class Usage(BaseModel):
    """Tokens: `prompt` what the model was shown, `completion` what it wrote, over all turns."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Told(BaseModel):
    """What lies behind an answer.

    Attributes:
        steps: as in a saved episode, and with `pictures` what was seen.
    """

    model_config = ConfigDict(extra="allow")

    episode: str
    ended: str
    known: bool | None = None
    confidence: float | None = None
    evidence: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    steps: list[dict[str, Any]] = Field(default_factory=list)


class Reply(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = None
    pixelis: Told


class Choice(BaseModel):
    index: int
    message: Reply
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class Completion(BaseModel):
    """The answer, in the shape of OpenAI's chat completions."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage | None = None


class ModelCard(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "pixelis"


class ModelList(BaseModel):
    """The first one is the default."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class EpisodeCard(BaseModel):
    """One line of the list of episodes."""

    id: str
    created: int
    model: str
    question: str
    answer: str
    ended: str
    seconds: float
    media: str


class EpisodeList(BaseModel):
    object: Literal["list"] = "list"
    data: list[EpisodeCard]


class Trouble(BaseModel):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorForm(BaseModel):
    """Every error has this shape."""

    error: Trouble


class State(BaseModel):
    status: str
