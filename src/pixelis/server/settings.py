"""What a server may be told: where it listens and how much it takes on."""

from __future__ import annotations

import ipaddress

from pydantic import BaseModel, ConfigDict, Field

MIB = 2**20


class Settings(BaseModel):
    """Limits of one server; every one of them can be given as a flag or in a TOML file."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on, 0 for a free one")
    concurrency: int = Field(16, ge=1, le=1024, description="most episodes under way at once")
    queue: int = Field(64, ge=0, le=100_000, description="most that wait; more get status 429")
    timeout_s: float = Field(120, gt=0, description="longest an answer may take, waiting included")
    rate: int = Field(600, ge=0, description="requests a minute for each key, 0 for any number")
    max_body_mib: float = Field(24, gt=0, le=1024, description="largest request")
    max_held_mib: float = Field(256, gt=0, description="all requests under way together")
    max_megapixels: float = Field(25, gt=0, le=178, description="largest picture or frame")
    max_clip_s: float = Field(300, gt=0, description="longest clip, in seconds")
    head_s: float = Field(10, gt=0, description="longest a new connection may say nothing")
    body_s: float = Field(30, gt=0, description="longest a request may take to come in")
    send_s: float = Field(30, gt=0, description="longest a client may take to read on")
    grace_s: float = Field(20, ge=0, description="time for open answers when it is stopped")
    keep: int = Field(200, ge=0, le=100_000, description="episodes kept to look at again")
    keep_mib: float = Field(256, ge=0, description="their pictures and clips together")
    history: int | None = Field(
        None, ge=0, description="earlier turns told to the model; by the model when left out"
    )

    @property
    def loopback(self) -> bool:
        """True when only programs of this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def max_body(self) -> int:
        """In bytes."""
        return int(self.max_body_mib * MIB)

    @property
    def max_held(self) -> int:
        """In bytes."""
        return int(self.max_held_mib * MIB)
