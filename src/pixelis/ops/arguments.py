"""Argument types that several operations share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
BoxArgument = Annotated[list[Finite], Field(min_length=4, max_length=4)]
PointArgument = Annotated[list[Finite], Field(min_length=2, max_length=2)]


class Arguments(BaseModel):
    """Base of every argument model: unknown names are refused, values are not coerced widely."""

    model_config = ConfigDict(extra="forbid", frozen=True)
