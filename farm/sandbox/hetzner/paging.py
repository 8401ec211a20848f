"""Lists as the API gives them: filtered, sorted, in pages, with meta and a Link header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from yarl import URL

from farm.sandbox.hetzner.errors import invalid_input
from farm.sandbox.wire import JsonObject

DEFAULT_PER_PAGE = 25
MAX_PER_PAGE = 50

T = TypeVar("T")
Key = Callable[[T], "int | str"]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `number` counts from 1 and may lie beyond the last."""

    items: Sequence[T]
    number: int
    per_page: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page, 1 for an empty list."""
        return max(1, -(-self.total // self.per_page))

    @property
    def previous(self) -> int | None:
        """The page before."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The page after."""
        return self.number + 1 if self.number < self.last else None

    def meta(self) -> JsonObject:
        """The official pagination object."""
        return {
            "pagination": {
                "page": self.number,
                "per_page": self.per_page,
                "previous_page": self.previous,
                "next_page": self.next,
                "last_page": self.last,
                "total_entries": self.total,
            }
        }

    def links(self, url: URL) -> str:
        """The Link header for a list that was asked at `url`."""
        pages = {"prev": self.previous, "next": self.next, "last": self.last}
        return ", ".join(
            f'<{url.update_query(page=number, per_page=self.per_page)}>; rel="{name}"'
            for name, number in pages.items()
            if number is not None
        )


def page_of(items: Sequence[T], url: URL) -> Page[T]:
    """The page that the query asks for; invalid_input for a number that is none."""
    number = _positive(url, "page", 1)
    per_page = min(_positive(url, "per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE)
    start = (number - 1) * per_page
    return Page(items[start : start + per_page], number, per_page, len(items))


def sort_by(items: Iterable[T], wishes: Sequence[str], keys: Mapping[str, Key[T]]) -> list[T]:
    """Sorted by each "field" or "field:asc|desc" of `wishes`, by the first field without any."""
    ordered = sorted(items, key=next(iter(keys.values())))
    # Sorting is stable: the last wish goes first.
    for wish in reversed(wishes):
        field, _, direction = wish.partition(":")
        if field not in keys or direction not in ("", "asc", "desc"):
            raise invalid_input("sort", f"'{wish}' cannot be sorted by")
        ordered.sort(key=keys[field], reverse=direction == "desc")
    return ordered


def _positive(url: URL, name: str, default: int) -> int:
    text = url.query.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise invalid_input(name, "must be a whole number from 1")
    return int(text)
