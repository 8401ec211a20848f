"""What each refusal of the Hetzner Cloud means to the farm, by code and never by text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from hcloud import APIException
from urllib3.exceptions import NewConnectionError

from provisioning.errors import (
    AnswerLost,
    NeedsOperator,
    NoCapacity,
    ProvisioningError,
    Rejected,
    Transient,
)

# The bucket refills by one request a second: five minutes of rest are 300 requests, while the
# reset the cloud names, a full bucket, may be an hour away.
LONGEST_REST = 300.0

KINDS: Mapping[str, type[ProvisioningError]] = {
    "conflict": Transient,
    "locked": Transient,
    "maintenance": Transient,
    "server_not_stopped": Transient,
    "resource_unavailable": NoCapacity,
    "placement_error": NoCapacity,
    "invalid_server_type": NoCapacity,
    "unauthorized": NeedsOperator,
    "token_readonly": NeedsOperator,
    "forbidden": NeedsOperator,
    "protected": NeedsOperator,
    "resource_limit_exceeded": NeedsOperator,
    "deprecated_api_endpoint": NeedsOperator,
}
# The request may have been carried out before these were said.
UNSURE = frozenset({"server_error", "service_error", "unavailable", "timeout", "bad_gateway"})
SENTENCES = {
    "unauthorized": "Hetzner does not know the token: put a valid one in HETZNER_TOKEN.",
    "token_readonly": "The Hetzner token may only read: create one with Read & Write.",
    "forbidden": "The Hetzner token may not do this: create one with Read & Write in this project.",
    "deprecated_api_endpoint": "Hetzner removed what this version calls: upgrade the farm.",
    "protected": "It is protected in the Hetzner Console: lift the protection there.",
}
NOT_HETZNER = (
    "What answered was not the Hetzner Cloud ({refusal}): look at HETZNER_ENDPOINT and at any "
    "proxy on the way."
)

NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


@dataclass(slots=True)
class LastAnswer:
    """What the SDK does not show of the newest answer: its status, hour and rate limit."""

    status: int = 0
    at: datetime | None = None
    reset: int | None = None

    def note(self, response: requests.Response, *_: object, **__: object) -> None:
        """Remember `response`; a hook of the `requests` session."""
        self.status = response.status_code
        self.at = _date(response.headers.get("Date"))
        self.reset = _whole(response.headers.get("RateLimit-Reset"))

    def rest(self) -> float | None:
        """Seconds from that answer until the request budget is full again, within 1 to 300."""
        if self.reset is None or self.at is None:
            return None
        return min(max(self.reset - self.at.timestamp(), 1.0), LONGEST_REST)


@contextmanager
def farm_errors(last: LastAnswer, *, writes: bool) -> Iterator[None]:
    """Turn whatever the SDK raises into an error of ours.

    With `writes`, an answer that never came or broke off is AnswerLost: it may have had its effect.
    """
    lost = AnswerLost if writes else Transient
    try:
        yield
    except APIException as refusal:
        raise error_of(refusal, last, lost=lost) from refusal
    except requests.RequestException as problem:
        raise _unanswered(problem, lost) from problem
    except (KeyError, TypeError, ValueError) as problem:
        # The SDK indexes into whatever JSON came: a proxy's own 200 ends here.
        raise lost("unreadable_answer", f"Hetzner's answer is not to be read: {problem}") from (
            problem
        )


def error_of(
    refusal: APIException, last: LastAnswer, *, lost: type[Transient] = AnswerLost
) -> ProvisioningError:
    """The error that says what to do about `refusal`; `lost` if it may have had its effect."""
    code = str(refusal.code)
    if code in ("rate_limit_exceeded", "429"):
        return Transient("rate_limit_exceeded", f"Hetzner: {refusal}", retry_after=last.rest())
    if code == "resource_limit_exceeded":
        return NeedsOperator(code, _limit_sentence(refusal))
    if code in KINDS:
        return KINDS[code](code, SENTENCES.get(code, f"Hetzner: {refusal}"))
    if code in UNSURE or last.status >= 500:
        return lost(code, f"Hetzner: {refusal}")
    return _refused(refusal, lost)


def _refused(refusal: APIException, lost: type[Transient]) -> ProvisioningError:
    """A refusal that is about the request itself, or not Hetzner's at all."""
    if isinstance(refusal.code, int) and refusal.code < 400:
        return lost("unreadable_answer", f"Hetzner's answer is not to be read: {refusal}")
    if isinstance(refusal.code, int) or (refusal.code == "not_found" and lost is Transient):
        # We read lists only, and a list is always there.
        return NeedsOperator("not_hetzner", NOT_HETZNER.format(refusal=refusal))
    if _fields(refusal) & {"server_type", "location"}:
        return NoCapacity(refusal.code, f"Hetzner: {refusal}")
    if "image" in _fields(refusal):
        return Rejected("unknown_image", f"Hetzner: {refusal}")
    return Rejected(refusal.code, f"Hetzner: {refusal}")


def _unanswered(problem: requests.RequestException, lost: type[Transient]) -> ProvisioningError:
    if isinstance(problem, requests.exceptions.SSLError):
        return NeedsOperator("tls", f"Hetzner's certificate is not trusted here: {problem}")
    if isinstance(problem, NO_ADDRESS):
        return NeedsOperator("endpoint", f"HETZNER_ENDPOINT is no http address: {problem}")
    if never_sent(problem):
        return Transient("unreachable", f"Hetzner is not reachable: {problem}")
    return lost("no_answer", f"Hetzner did not answer: {problem}")


def never_sent(problem: requests.RequestException) -> bool:
    """Whether no connection came about, so that the request cannot have had an effect."""
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return True
    cause = problem.args[0] if problem.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _limit_sentence(refusal: APIException) -> str:
    limits = names_in(refusal, "limits") or {"a limit of the account"}
    return (
        f"The Hetzner account is full ({', '.join(sorted(limits))}): ask for more in the Hetzner "
        "Console under Limits, or allow another cloud."
    )


def _fields(refusal: APIException) -> set[str]:
    return names_in(refusal, "fields") if refusal.code == "invalid_input" else set()


def names_in(refusal: APIException, key: str) -> set[str]:
    """The names in a list of a refusal's details, such as those of its wrong fields."""
    details = refusal.details
    entries = details.get(key) if isinstance(details, dict) else None
    if not isinstance(entries, list):
        return set()
    return {str(entry["name"]) for entry in entries if isinstance(entry, dict) and "name" in entry}


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
