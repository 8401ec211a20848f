"""The wire to Scaleway: its SDK with timeouts, one session per thread and bounded retries."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Protocol, TypeVar

import requests
from scaleway import Client
from scaleway.billing.v2beta1 import BillingV2Beta1FinOpsAPI
from scaleway.block.v1 import BlockV1API
from scaleway.instance.v1.custom_api import InstanceUtilsV1API
from scaleway.marketplace.v2 import MarketplaceV2API
from scaleway.product_catalog.v2alpha1 import ProductCatalogV2Alpha1PublicCatalogAPI

from provisioning.budget import Budget
from provisioning.scaleway_errors import refusal_of
from provisioning.transport import CountedRetry, count

PAGE = 100
MOST_PAGES = 200
WRITING = ("POST", "PUT", "PATCH")
# Reading may be asked again at once; a write never is without looking first.
AGAIN = CountedRetry(
    total=2,
    backoff_factor=0.1,
    status_forcelist=(502, 503, 504),
    allowed_methods=("GET",),
    respect_retry_after_header=False,
    raise_on_status=False,
)
Value = str | int | bool
Params = Mapping[str, Value | datetime | Sequence[Value] | None]
Item = TypeVar("Item")


class Page(Protocol):
    """One page of a list, as every list of the SDK looks."""

    total_count: int


class _Direct:
    """In place of the SDK's transport, which has no timeout, no session and no retry.

    It raises `Refusal` from 400 on, also where the answer carries no JSON.
    """

    client: Client
    session: requests.Session
    timeouts: tuple[float, float]

    def _request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | IO[bytes] | Mapping[str, object] | None = None,
    ) -> requests.Response:
        writes = method.upper() in WRITING
        json_type = {"Content-Type": "application/json; charset=utf-8"} if writes else {}
        response = self.session.request(
            method=method,
            url=f"{self.client.api_url}{path}",
            params=_given(params or {}),
            headers={
                "accept": "application/json",
                "user-agent": "agent-farm",
                "x-auth-token": self.client.secret_key or "",
                **json_type,
                **(headers or {}),
            },
            data=_raw(body) if writes else None,
            timeout=self.timeouts,
        )
        if response.status_code >= 400:
            raise refusal_of(response)
        return _with_total(response)


def _given(params: Params) -> list[tuple[str, Value]]:
    """What was given, a list as several parameters of one name."""
    pairs: list[tuple[str, Value]] = []
    for name, value in params.items():
        if isinstance(value, str | int):
            pairs.append((name, value))
        elif isinstance(value, datetime):
            pairs.append((name, value.isoformat()))
        elif value is not None:
            pairs.extend((name, one) for one in value)
    return pairs


def _raw(body: str | bytes | IO[bytes] | Mapping[str, object] | None) -> str | bytes | IO[bytes]:
    return json.dumps(body or {}) if body is None or isinstance(body, Mapping) else body


def _with_total(response: requests.Response) -> requests.Response:
    """The instance API tells the length of a list in a header, the SDK reads it in the body."""
    total = response.headers.get("X-Total-Count")
    if total:
        body = {**response.json(), "total_count": int(total)}
        response._content = json.dumps(body).encode()  # noqa: SLF001
    return response


class Instance(_Direct, InstanceUtilsV1API):
    """Servers, addresses, images and security groups."""


class Block(_Direct, BlockV1API):
    """Volumes and their snapshots."""


class Market(_Direct, MarketplaceV2API):
    """Images that Scaleway offers."""


class PriceList(_Direct, ProductCatalogV2Alpha1PublicCatalogAPI):
    """What everything costs today."""


class Costs(_Direct, BillingV2Beta1FinOpsAPI):
    """What everything did cost."""


class Lines(threading.local):
    """The APIs for each thread: their session must not be shared between threads."""

    def __init__(self, client: Client, timeouts: tuple[float, float], budget: Budget) -> None:
        session = requests.Session()
        count(session, budget, AGAIN)
        self.instance = _lined(Instance(client), session, timeouts)
        self.block = _lined(Block(client), session, timeouts)
        self.market = _lined(Market(client), session, timeouts)
        self.prices = _lined(PriceList(client), session, timeouts)
        self.costs = _lined(Costs(client), session, timeouts)


Api = TypeVar("Api", bound=_Direct)


def _lined(api: Api, session: requests.Session, timeouts: tuple[float, float]) -> Api:
    api.session, api.timeouts = session, timeouts
    return api


AnyPage = TypeVar("AnyPage", bound=Page)


def every(ask: Callable[[int], AnyPage], items: Callable[[AnyPage], Sequence[Item]]) -> list[Item]:
    """All items of a list, page by page until its own count is reached or a page is empty.

    The SDK's own way goes on until an empty page, one more request each time, and recursively.
    """
    found: list[Item] = []
    for page in _pages(ask):
        new = items(page)
        found.extend(new)
        if not new or len(found) >= int(page.total_count or 0):
            break
    return found


def _pages(ask: Callable[[int], AnyPage]) -> Iterator[AnyPage]:
    for number in range(1, MOST_PAGES + 1):
        yield ask(number)
