"""One request to the API after the door let it in, and the answers that are made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from farm.sandbox.faults import ActionFault
from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import invalid_input, not_found
from farm.sandbox.hetzner.labels import Labels, parse_selector
from farm.sandbox.hetzner.paging import Key, Page, T, page_of, sort_by
from farm.sandbox.hetzner.records import Project
from farm.sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what; `fault` is what is to become of the action it begins."""

    cloud: HetznerCloud
    project: Project
    url: URL
    path: Mapping[str, str]
    body: Body
    fault: ActionFault | None

    def number(self, kind: str, name: str = "id") -> int:
        """The id in the path; not_found if it is no number."""
        text = self.path[name]
        if not text.isdecimal():
            raise not_found(kind, text)
        return int(text)

    def wishes(self, name: str) -> Sequence[str]:
        """All values of a query parameter."""
        return self.url.query.getall(name, [])

    def asked(self, name: str, choices: Container[str] = ()) -> Callable[[str | None], bool]:
        """Whether a value is among those of a query parameter; any is if none is given.

        With `choices`, invalid_input for a wish that is none of them.
        """
        wishes = self.wishes(name)
        for wish in wishes if choices else ():
            if wish not in choices:
                raise invalid_input(name, f"'{wish}' is not one of the possible values")
        return lambda value: not wishes or value in wishes

    def selects(self) -> Callable[[Labels], bool]:
        """The question that the label selector of the query asks."""
        return parse_selector(self.url.query.get("label_selector", ""))

    def page(self, items: Sequence[T], keys: Mapping[str, Key[T]]) -> Page[T]:
        """The page of `items` that the query asks for, sorted as it asks."""
        return page_of(sort_by(items, self.wishes("sort"), keys), self.url)

    def listed(self, name: str, page: Page[T], rendered: Sequence[JsonObject]) -> web.Response:
        """A page as the API answers it, with meta and Link."""
        body: JsonObject = {name: rendered, "meta": page.meta()}
        return web.json_response(body, headers={"Link": page.links(self.url)})


Operation = Callable[[Call], Awaitable[web.Response]]


def answered(body: JsonObject, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.json_response(body, status=status)


def nothing() -> web.Response:
    """204: it is done, and there is nothing to say."""
    return web.Response(status=204)
