"""What can go wrong outside, named and sorted by what the caller does about it."""

from __future__ import annotations


class ProvisioningError(Exception):
    """Anything a cloud, a machine or a runtime refused or could not do.

    `code` is a short word for rows, logs and tests; the message is one sentence for the operator.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Transient(ProvisioningError):  # noqa: N818
    """It may work later: back off, and try the same step again.

    `retry_after` is in seconds, where the other side named one.
    """

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class AnswerLost(Transient):
    """The request may have had its effect: look before asking again."""


class NoCapacity(ProvisioningError):  # noqa: N818
    """The cloud has no such machine there now: take the next rung of the placement ladder."""


class NeedsOperator(ProvisioningError):  # noqa: N818
    """No member can mend it (token, quota, account): pause the provider and tell the operator."""


class Rejected(ProvisioningError):  # noqa: N818
    """It will never work as asked: the row fails at once with a sentence the member can act on."""


class HostKeyMismatch(ProvisioningError):  # noqa: N818
    """The machine shows another host key than ours: say nothing to it, and raise the alarm."""
