"""What the API refuses, with the type, code and parameter that Stripe gives it."""

from __future__ import annotations

from collections.abc import Mapping

from farm.sandbox.stripe.cards import Decline
from farm.sandbox.wire import Json, JsonObject

INVALID = "invalid_request_error"


class ApiError(Exception):
    """One refusal; `more` are further keys of the error, such as the payment intent."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        code: str = "",
        param: str = "",
        more: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.more = dict(more or {})

    def envelope(self) -> JsonObject:
        """As it travels."""
        told: dict[str, Json] = {"message": self.message, "type": self.kind}
        told |= {name: said for name, said in (("code", self.code), ("param", self.param)) if said}
        return {"error": told | self.more}


def missing(param: str) -> ApiError:
    """A parameter that must be there is not."""
    return ApiError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid(param: str, why: str, code: str = "parameter_invalid") -> ApiError:
    """A parameter cannot be what it is."""
    return ApiError(400, f"Invalid {param}: {why}", code=code, param=param)


def unknown(param: str) -> ApiError:
    """A parameter that this API does not know."""
    sentence = f"Received unknown parameter: {param}"
    return ApiError(400, sentence, code="parameter_unknown", param=param)


def no_such(kind: str, uid: str, param: str = "id") -> ApiError:
    """Nothing has that id; 404 where the address names it, 400 where a parameter does."""
    status = 404 if param == "id" else 400
    sentence = f"No such {kind}: '{uid}'"
    return ApiError(status, sentence, code="resource_missing", param=param)


def not_now(message: str, code: str = "", more: Mapping[str, Json] | None = None) -> ApiError:
    """The thing is in a state in which this cannot be done."""
    return ApiError(400, message, code=code, more=more)


def declined(decline: Decline, more: Mapping[str, Json]) -> ApiError:
    """The card failed: 402."""
    told: dict[str, Json] = dict(more)
    if decline.decline_code:
        told["decline_code"] = decline.decline_code
    return ApiError(402, decline.message, kind="card_error", code=decline.code, more=told)
