"""One request to the API after the door let it in, and the answers that are made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from farm.sandbox.faults import ActionFault
from farm.sandbox.scaleway.body import Body, read_body
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.errors import invalid, not_found, not_permitted
from farm.sandbox.scaleway.records import Project
from farm.sandbox.wire import Json, JsonObject

DEFAULT_PAGE = 50
MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks what; `fault` is what is to become of the action it begins."""

    cloud: ScalewayCloud
    project: Project
    url: URL
    path: Mapping[str, str]
    raw: bytes
    fault: ActionFault | None

    @property
    def zone(self) -> str:
        """The zone in the path; not_found for one that there is not."""
        zone = self.path["zone"]
        if zone not in self.cloud.books.catalog.zones:
            raise not_found("zone", zone)
        return zone

    @property
    def body(self) -> Body:
        """The JSON that was sent."""
        return read_body(self.raw)

    def wish(self, name: str) -> str:
        """A query parameter, "" without it."""
        return self.url.query.get(name, "")

    def check_project(self, *names: str) -> None:
        """permissions_denied if the request is about another project than the key's."""
        asked = [self.wish(name) for name in names]
        asked += [self.body.text(name, "") for name in names] if self.raw.strip() else []
        if any(uid not in ("", self.project.uid) for uid in asked):
            raise not_permitted()

    def tagged(self, tags: Sequence[str]) -> bool:
        """Whether these are all the tags that the query asks for, by commas or one by one."""
        wanted = [tag for text in self.url.query.getall("tags", []) for tag in text.split(",")]
        return set(filter(None, wanted)) <= set(tags)

    def page(self, items: Sequence[Json], size_name: str = "per_page") -> list[Json]:
        """The page of `items` that the query asks for."""
        size = min(self._positive(size_name, DEFAULT_PAGE), MAX_PAGE)
        start = (self._positive("page", 1) - 1) * size
        return list(items[start : start + size])

    def _positive(self, name: str, default: int) -> int:
        text = self.wish(name) or str(default)
        if not text.isdecimal() or int(text) < 1:
            raise invalid(name, "format")
        return int(text)


Operation = Callable[[Call], Awaitable[web.Response]]


def answered(body: JsonObject, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.json_response(body, status=status)


def nothing() -> web.Response:
    """204: it is done, and there is nothing to say."""
    return web.Response(status=204)


def listed(call: Call, name: str, items: Sequence[JsonObject]) -> web.Response:
    """A page of the instance API, which tells the length of the list in a header."""
    headers = {"X-Total-Count": str(len(items))}
    return web.json_response({name: call.page(items)}, headers=headers)


def mapped(call: Call, name: str, items: Mapping[str, JsonObject]) -> web.Response:
    """The same for a list that is a mapping by name."""
    names = call.page(sorted(items))
    page = {str(key): items[str(key)] for key in names}
    return web.json_response({name: page}, headers={"X-Total-Count": str(len(items))})


def counted(call: Call, name: str, items: Sequence[JsonObject]) -> web.Response:
    """A page of the newer APIs, which tell the length of the list in the body."""
    return answered({name: call.page(items, "page_size"), "total_count": len(items)})
