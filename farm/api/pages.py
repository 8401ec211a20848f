"""Long lists in pieces: so many items, and after which one to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from farm.accounts.refusals import Refused
from farm.api.fields import text

Row = TypeVar("Row", bound=Model)
MOST = 100


class Piece(serializers.Serializer[None]):
    """Which piece of a list is asked for."""

    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=50)
    after = text(40, required=False)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """`next` goes into `after` for the following piece; None at the end."""

    items: Sequence[Row]
    next: str | None


def piece_of(rows: QuerySet[Row], request: Request, key: str) -> Page[Row]:
    """The piece that the query asks for, newest first; `key` is the field that `after` names."""
    _demand_known(request)
    asked = Piece(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    limit, after = asked.validated_data["limit"], asked.validated_data.get("after")
    rows = rows.order_by("-pk")
    if after:
        rows = rows.filter(pk__lt=_place_of(rows, key, after))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    items = found[:limit]
    return Page(items, str(getattr(items[-1], key)) if more else None)


def _demand_known(request: Request) -> None:
    """A misspelt word in the query would give a piece that nobody asked for."""
    strange = sorted(set(request.query_params) - set(Piece().fields))
    if strange:
        raise serializers.ValidationError({strange[0]: "There is no such parameter here."})


def _place_of(rows: QuerySet[Row], key: str, after: str) -> int:
    try:
        last: int | None = rows.filter(**{key: after}).values_list("pk", flat=True).first()
    except (ValueError, OverflowError):
        last = None
    if last is None:
        raise Refused("after", "after_unknown", "There is no such item in this list.")
    return last
