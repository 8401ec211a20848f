"""What can go wrong at the payment house, sorted by what the caller does about it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class GatewayError(Exception):
    """Anything that Stripe refused or could not do.

    `code` is a short word for rows, logs and tests; the message is one sentence for the operator.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Transient(GatewayError):  # noqa: N818
    """It may work later: back off, and ask again with the same key. `retry_after` in seconds."""

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class AnswerLost(Transient):
    """The request may have had its effect: the same key within a day gets its answer."""


class NeedsOperator(GatewayError):  # noqa: N818
    """No payer can mend it (key, account, settings there): tell the operator once."""


class Rejected(GatewayError):  # noqa: N818
    """It will never work as asked. `param` is Stripe's word for what was wrong, "" for none."""

    def __init__(self, code: str, message: str, *, param: str = "") -> None:
        super().__init__(code, message)
        self.param = param


class Declined(GatewayError):  # noqa: N818
    """The bank said no; `sentence` is for the payer. `payment` is the try, "" where there is none.

    The same key gets the same answer: another try needs another one.
    """

    def __init__(self, code: str, message: str, *, payment: str = "") -> None:
        super().__init__(code, message)
        self.payment = payment

    @property
    def sentence(self) -> str | Promise:
        """What happened, and what the payer can do."""
        return DECLINES.get(self.code, OTHERWISE)


class NeedsAuthentication(Declined):
    """The bank wants to see the payer: let them pay on a hosted page."""


class Forged(GatewayError):  # noqa: N818
    """A webhook that Stripe has not signed, or signed too long ago: believe nothing of it."""


OTHERWISE = _("Your bank declined this card. Use another card, or ask your bank why.")
DECLINES: Mapping[str, Promise] = {
    "insufficient_funds": _(
        "There is not enough money on this card. Use another card, or try again once there is."
    ),
    "expired_card": _("This card has expired. Use another card."),
    "incorrect_cvc": _("The security code is not that of this card. Type it again."),
    "processing_error": _(
        "Your bank could not be reached. Nothing was charged: try again in a few minutes."
    ),
    "authentication_required": _(
        "Your bank wants you to confirm this payment yourself. Pay on the page: it asks you there."
    ),
}
