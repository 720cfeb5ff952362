"""The whole error tree; each error also inherits the matching built-in.

PixelisError
├─ OpError          (ValueError)        told to the model as an observation; the episode goes on
├─ MediaError       (ValueError)        a picture or video that cannot be used: file and reason
├─ DataError        (ValueError)        a record that cannot be used: file, line, field
│  └─ RecordError   (in data.readers)   one record of many; the others can be used
├─ ConfigError      (ValueError)        a setting or argument the user must change
├─ ModelError       (RuntimeError)      a model that cannot be loaded or does not fit its processor
│  └─ PartialError  (in models.policy)  some requests of a batch failed, the others did not
├─ JobError         (RuntimeError)      a job that ran to its end and did not succeed
├─ StoreError       (OSError)           durable state that cannot be read or written
├─ RefusalError     (in server.refusal) a request that gets a status and one sentence
└─ CheckpointError  (RuntimeError)      training state that cannot be resumed
   MissingExtraError (ConfigError, ImportError)  an optional dependency is absent: names the extra

A message says what came, what is allowed and what to do, on one line.
"""

from __future__ import annotations


class PixelisError(Exception):
    """Base of every error this package raises on purpose."""


class OpError(PixelisError, ValueError):
    """A visual operation could not do what was asked; the text is shown to the model."""


class MediaError(PixelisError, ValueError):
    """A picture or video cannot be decoded or is refused; the text names it and the reason."""


class DataError(PixelisError, ValueError):
    """A data record is broken; the text names file, line and field."""


class ConfigError(PixelisError, ValueError):
    """A setting is wrong; the text names the setting, the value and what is allowed."""


class ModelError(PixelisError, RuntimeError):
    """A model cannot be loaded or used; the text says which and what to do."""


class JobError(PixelisError, RuntimeError):
    """A job ran to its end without success, such as a question that got no answer."""


class StoreError(PixelisError, OSError):
    """Durable state cannot be read or written."""


class CheckpointError(PixelisError, RuntimeError):
    """A training checkpoint cannot be resumed."""


class MissingExtraError(ConfigError, ImportError):
    """An optional dependency is missing; `extra` is the name to install."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed; run: pip install 'pixelis[{extra}]'")
        self.extra = extra


def reason_of(error: BaseException, most: int = 200) -> str:
    """What an error of a library says, on one line of `most` letters; its type when it is mute."""
    return " ".join(str(error).split())[:most] or type(error).__name__
