"""What each refusal of Scaleway means to the farm, by type and never by text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict

import requests
from urllib3.exceptions import NewConnectionError

from provisioning.errors import (
    AnswerLost,
    NeedsOperator,
    NoCapacity,
    ProvisioningError,
    Rejected,
    Transient,
)

LONGEST_REST = 300.0
ABSENT = frozenset({"not_found", "unknown_resource", "resource_not_found"})
KINDS: Mapping[str, type[ProvisioningError]] = {
    "transient_state": Transient,
    "conflict": Transient,
    "out_of_stock": NoCapacity,
    "permissions_denied": NeedsOperator,
    "denied_authentication": NeedsOperator,
    "locked": NeedsOperator,
    "resource_expired": NeedsOperator,
}
SENTENCES = {
    "denied_authentication": "Scaleway does not know the key: put a valid pair in "
    "SCALEWAY_ACCESS_KEY and SCALEWAY_SECRET_KEY.",
    "permissions_denied": "The Scaleway key may not do this: give its application the permission "
    "sets InstancesFullAccess and BlockStorageFullAccess in this project.",
}
NOT_SCALEWAY = (
    "What answered was not Scaleway ({refusal}): look at SCALEWAY_ENDPOINT and at any proxy on "
    "the way."
)
NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
# What an order may name that another rung of the ladder names otherwise.
OF_THE_RUNG = frozenset({"commercial_type", "zone"})
STILL_IN_USE = "resource_still_in_use"


class _Detail(TypedDict, total=False):
    argument_name: str
    resource: str
    quota: int
    current: int


class RawRefusal(TypedDict, total=False):
    """The part of an error's JSON that we read."""

    type: str
    message: str
    precondition: str
    resource: str
    details: list[_Detail]
    fields: dict[str, list[str]]


# Not frozen: contextlib gives an exception that passes through it another traceback.
@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818
    """An answer from 400 on. `type` is "" where it carried none; `rest` is a named wait."""

    status: int
    type: str = ""
    message: str = ""
    arguments: frozenset[str] = frozenset()
    quotas: Sequence[str] = field(default=())
    precondition: str = ""
    rest: float | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.type} {self.message}".strip()


def refusal_of(response: requests.Response) -> Refusal:
    """The refusal that an answer from 400 on is, whatever its body."""
    try:
        raw = response.json()
    except ValueError:
        raw = None
    rest = response.headers.get("Retry-After", "")
    seconds = min(float(rest), LONGEST_REST) if rest.isdecimal() else None
    if not isinstance(raw, dict):
        return Refusal(response.status_code, message=response.text[:200], rest=seconds)
    body: RawRefusal = raw  # type: ignore[assignment]
    details = [one for one in body.get("details") or [] if isinstance(one, dict)]
    named = {str(one["argument_name"]) for one in details if "argument_name" in one}
    return Refusal(
        status=response.status_code,
        type=str(body.get("type") or ""),
        message=str(body.get("message") or "")[:200],
        arguments=frozenset(named | set(body.get("fields") or {})),
        quotas=tuple(_quota(one) for one in details if "quota" in one),
        precondition=str(body.get("precondition") or ""),
        rest=seconds,
    )


def _quota(detail: _Detail) -> str:
    return f"{detail.get('resource', 'a quota')}: {detail.get('current')} of {detail.get('quota')}"


@contextmanager
def farm_errors(*, writes: bool) -> Iterator[None]:
    """Turn whatever the SDK raises into an error of ours.

    With `writes`, an answer that never came or broke off is AnswerLost: it may have had its effect.
    """
    lost = AnswerLost if writes else Transient
    try:
        yield
    except Refusal as refusal:
        raise error_of(refusal, lost=lost) from refusal
    except requests.exceptions.JSONDecodeError as problem:
        raise _unreadable(problem, lost) from problem
    except requests.RequestException as problem:
        raise _unanswered(problem, lost) from problem
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        # The SDK indexes into whatever JSON came: a proxy's own 200 ends here.
        raise _unreadable(problem, lost) from problem


@contextmanager
def absence_is_fine() -> Iterator[None]:
    """What is gone already need not be ended."""
    try:
        yield
    except Refusal as refusal:
        if refusal.type not in ABSENT:
            raise


def error_of(refusal: Refusal, *, lost: type[Transient] = AnswerLost) -> ProvisioningError:
    """The error that says what to do about `refusal`; `lost` if it may have had its effect."""
    told = f"Scaleway: {refusal}"
    if refusal.status == 429 or refusal.type == "too_many_requests":
        return Transient("rate_limit_exceeded", told, retry_after=refusal.rest)
    if _is_quota(refusal):
        return NeedsOperator("resource_limit_exceeded", _quota_sentence(refusal))
    if refusal.type == "locked":
        return NeedsOperator("protected", "Scaleway locked it: ask its support why.")
    if refusal.type in KINDS:
        return KINDS[refusal.type](refusal.type, SENTENCES.get(refusal.type, told))
    if refusal.status >= 500:
        return lost(refusal.type or str(refusal.status), told)
    return _refused(refusal, lost, told)


def _refused(refusal: Refusal, lost: type[Transient], told: str) -> ProvisioningError:
    """A refusal that is about the request itself, or not Scaleway's at all."""
    if refusal.status in (401, 403):
        code = "denied_authentication" if refusal.status == 401 else "permissions_denied"
        return NeedsOperator(code, SENTENCES[code])
    if refusal.precondition == STILL_IN_USE:
        return Transient(STILL_IN_USE, told)
    if refusal.arguments & OF_THE_RUNG:
        return NoCapacity(refusal.type, told)
    if not refusal.type or (refusal.type in ABSENT and lost is Transient):
        # We read lists only, and a list is always there.
        return NeedsOperator("not_scaleway", NOT_SCALEWAY.format(refusal=refusal))
    return Rejected(refusal.type, told)


def _is_quota(refusal: Refusal) -> bool:
    # The instance API (v1) has no type of its own for this; its sentence is all there is.
    old = refusal.type == "invalid_request_error" and "quota" in refusal.message
    return old or refusal.type == "quotas_exceeded"


def _quota_sentence(refusal: Refusal) -> str:
    named = ", ".join(refusal.quotas) or refusal.message or "a quota of the organization"
    return (
        f"The Scaleway organization is full ({named}): ask for more in the Scaleway Console under "
        "Organization, Quotas, or allow another cloud."
    )


def _unreadable(problem: Exception, lost: type[Transient]) -> ProvisioningError:
    return lost("unreadable_answer", f"Scaleway's answer is not to be read: {problem}")


def _unanswered(problem: requests.RequestException, lost: type[Transient]) -> ProvisioningError:
    if isinstance(problem, requests.exceptions.SSLError):
        return NeedsOperator("tls", f"Scaleway's certificate is not trusted here: {problem}")
    if isinstance(problem, NO_ADDRESS):
        return NeedsOperator("endpoint", f"SCALEWAY_ENDPOINT is no http address: {problem}")
    if never_sent(problem):
        return Transient("unreachable", f"Scaleway is not reachable: {problem}")
    return lost("no_answer", f"Scaleway did not answer: {problem}")


def never_sent(problem: requests.RequestException) -> bool:
    """Whether no connection came about, so that the request cannot have had an effect."""
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return True
    cause = problem.args[0] if problem.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
