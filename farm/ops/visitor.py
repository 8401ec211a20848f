"""A person at the site, as a browser without scripts is one: pages, forms, cookies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

Attributes = list[tuple[str, str | None]]


@dataclass(slots=True)
class Form:
    """A form with what it would send as it stands."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    """Collects the forms of a page, its links and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""))
            self.forms.append(self._open)
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif self._open and "name" in values and tag in ("input", "textarea", "button", "select"):
            self._keep(self._open, tag, values)

    def _keep(self, form: Form, tag: str, values: Mapping[str, str]) -> None:
        form.names.add(values["name"])
        chosen = values.get("type") not in ("radio", "checkbox") or "checked" in values
        if tag == "input" and chosen:
            form.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its address, its words without markup, its forms and links."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]
    links: tuple[str, ...]

    def form_with(self, name: str) -> Form:
        """The first form that has a field of this name; LookupError if none has."""
        for form in self.forms:
            if name in form.names:
                return form
        raise LookupError(f"{self.url} has no form with a field {name}.")


class Visitor:
    """Opens pages of one site and sends its forms; httpx.TransportError when it does not answer."""

    def __init__(self, site: str) -> None:
        self._client = httpx.Client(base_url=site, follow_redirects=True, timeout=30)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def open(self, path: str) -> Page:
        """The page at this path."""
        return _page(self._client.get(path))

    def status_of(self, path: str) -> int:
        """Only the status, without following a redirect."""
        return self._client.get(path, follow_redirects=False).status_code

    def send(self, page: Page, form: Form, fields: Mapping[str, str]) -> Page:
        """Fill the fields in, send the form, and follow where it leads."""
        address = urljoin(page.url, form.action)
        headers = {"Referer": page.url}
        return _page(self._client.post(address, data={**form.fields, **fields}, headers=headers))


def _page(answer: httpx.Response) -> Page:
    parsed = _Forms()
    parsed.feed(answer.text)
    words = " ".join(" ".join(parsed.text).split())
    return Page(
        str(answer.url), answer.status_code, words, tuple(parsed.forms), tuple(parsed.links)
    )
