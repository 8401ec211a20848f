"""How a request travels to a cloud: counted before it is sent, and every retry of it too."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.util import Retry

from provisioning.budget import Boundless, Budget, Told

UNTOLD_REST = 30.0
LIMIT = ("RateLimit-Limit", "X-RateLimit-Limit")
REMAINING = ("RateLimit-Remaining", "X-RateLimit-Remaining")
RESET = ("RateLimit-Reset", "X-RateLimit-Reset")


class CountedRetry(Retry):
    """A retry within one call is a request like any other: the budget is asked for each."""

    budget: Budget = Boundless()

    def counted_by(self, budget: Budget) -> CountedRetry:
        """These retries, counted by that budget."""
        counted: CountedRetry = self.new()
        counted.budget = budget
        return counted

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> CountedRetry:
        """One retry less; OutOfBudget if it must not be sent now."""
        left: Retry = super().increment(method, url, response, error, _pool, _stacktrace)
        self.budget.ask()
        counted: CountedRetry = left  # type: ignore[assignment]
        counted.budget = self.budget
        return counted


class CountedAdapter(HTTPAdapter):
    """Asks the budget before a request is sent, and tells it what the answer says."""

    def __init__(self, budget: Budget, retries: CountedRetry | None = None) -> None:
        super().__init__(max_retries=retries.counted_by(budget) if retries else 0)
        self._budget = budget

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """Send it; OutOfBudget, and nothing sent, if the budget refuses."""
        self._budget.ask()
        response = super().send(request, stream, timeout, verify, cert, proxies)
        told = told_by(response)
        if told != Told():
            self._budget.learn(told)
        return response


def count(session: requests.Session, budget: Budget, retries: CountedRetry | None = None) -> None:
    """From now on every request of the session is counted by `budget`."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, CountedAdapter(budget, retries))


def told_by(response: requests.Response) -> Told:
    """What an answer says of the project's request budget."""
    refused = _rest(response) if response.status_code == 429 else None
    return Told(_number(response, LIMIT), _number(response, REMAINING), refused)


def _rest(response: requests.Response) -> float:
    """Seconds until the reset that a refusal names, by the cloud's own clock."""
    after = response.headers.get("Retry-After", "")
    reset, at = _number(response, RESET), _date(response.headers.get("Date"))
    if after.isdecimal():
        return float(after)
    if reset is not None and at is not None:
        return max(reset - at.timestamp(), 1.0)
    return UNTOLD_REST


def _number(response: requests.Response, names: tuple[str, ...]) -> int | None:
    for name in names:
        text = response.headers.get(name, "")
        if text.isdecimal() and len(text) < 12:
            return int(text)
    return None


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment else None
