"""One request to the API after the door let it in: its form, and one page of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from farm.sandbox.stripe.books import Books, R, number_of
from farm.sandbox.stripe.errors import invalid
from farm.sandbox.stripe.form import Form
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.render import listed
from farm.sandbox.stripe.shown import CUSTOMERS, Shelf, expanded
from farm.sandbox.wire import Json, JsonObject

LIMIT, MOST = 10, 100
PAGING = ("limit", "starting_after", "ending_before", "created")


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what; `path` are the parts of the address."""

    house: House
    form: Form
    path: Mapping[str, str]
    url: str

    @property
    def books(self) -> Books:
        """What the house has on record."""
        return self.house.books

    def named(self, shelf: Shelf[R], part: str = "id") -> R:
        """The thing that the address names."""
        return shelf.find(self.books, self.path[part])

    def is_of(self, customer: int | None) -> bool:
        """Whether that is the customer whom a list asks for, if it asks for one."""
        asked = self.form.text("customer", "")
        return not asked or CUSTOMERS.find(self.books, asked, "customer").id == customer

    def expand(self, body: JsonObject) -> JsonObject:
        """The answer with more where `expand` asks for it."""
        return expanded(self.books, body, self.form.texts("expand"))

    def show(self, shelf: Shelf[R], record: R) -> JsonObject:
        """One thing as the answer."""
        return self.expand(shelf.show(self.books, record))

    def page(self, shelf: Shelf[R], records: Sequence[R]) -> JsonObject:
        """The page that is asked for, the newest first."""
        return self.expand(
            self.page_of(records, shelf.kind, lambda one: shelf.show(self.books, one))
        )

    def page_of(
        self, records: Sequence[R], kind: type[R], show: Callable[[R], JsonObject]
    ) -> JsonObject:
        """The same for what is on no shelf."""
        limit = self.form.integer("limit", LIMIT)
        if not 1 <= limit <= MOST:
            raise invalid("limit", f"must be 1 to {MOST}")
        fitting = [one for one in records if _within(self.form, one)]
        newest = sorted(fitting, key=lambda one: one.id, reverse=True)
        after, before = self._cursor("starting_after", kind), self._cursor("ending_before", kind)
        if before is not None:
            newest = [one for one in newest if one.id > before]
            newest, more = newest[-limit:], len(newest) > limit
        else:
            newest = [one for one in newest if after is None or one.id < after]
            newest, more = newest[:limit], len(newest) > limit
        data: list[Json] = [show(one) for one in newest]
        return listed(data, self.url, has_more=more)

    def _cursor(self, name: str, kind: type[R]) -> int | None:
        if not self.form.has(name):
            return None
        number = number_of(kind, self.form.text(name))
        if number is None:
            raise invalid(name, f"No such object: '{self.form.text(name)}'", "resource_missing")
        return number


def _within(form: Form, one: object) -> bool:
    """Whether it was made when `created` asks for."""
    made = getattr(one, "created", None)
    if not form.has("created") or not isinstance(made, datetime):
        return True
    if isinstance(form.fields["created"], str):
        return made == form.when("created")
    asked, at = form.part("created"), made.astimezone(UTC)
    bounds = {name: asked.when(name) for name in ("gt", "gte", "lt", "lte")}
    return (
        (bounds["gt"] is None or at > bounds["gt"])
        and (bounds["gte"] is None or at >= bounds["gte"])
        and (bounds["lt"] is None or at < bounds["lt"])
        and (bounds["lte"] is None or at <= bounds["lte"])
    )


Operation = Callable[[Call], JsonObject]
