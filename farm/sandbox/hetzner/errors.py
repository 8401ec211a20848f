"""Refusals as the Hetzner Cloud words them: a status, a code, a sentence and details."""

from __future__ import annotations

from farm.sandbox.wire import JsonObject


class ApiError(Exception):
    """The request is refused with the official envelope."""

    def __init__(
        self, status: int, code: str, message: str, details: JsonObject | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def envelope(self) -> JsonObject:
        """{"error": {"code", "message", "details"}}."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


def invalid_input(field: str, problem: str) -> ApiError:
    """One field is not acceptable."""
    return ApiError(
        422,
        "invalid_input",
        f"invalid input in field '{field}': {problem}",
        {"fields": [{"name": field, "messages": [problem]}]},
    )


def not_found(kind: str, number: int | str) -> ApiError:
    """There is no such thing in the project."""
    return ApiError(404, "not_found", f"{kind} with ID '{number}' not found")


def not_unique(kind: str, field: str = "name") -> ApiError:
    """Another thing of the project has that name already."""
    return ApiError(
        409, "uniqueness_error", f"{kind} {field} is already used", {"fields": [{"name": field}]}
    )


def locked(kind: str) -> ApiError:
    """An action is running on it."""
    return ApiError(423, "locked", f"cannot perform operation because {kind} is locked")


def protected(kind: str) -> ApiError:
    """Somebody protected it against this."""
    return ApiError(423, "protected", f"{kind} is protected")


def limit_exceeded(limit: str) -> ApiError:
    """The account may not hold more of these."""
    return ApiError(
        403,
        "resource_limit_exceeded",
        f"{limit.replace('_', ' ')} exceeded",
        {"limits": [{"name": limit}]},
    )


def sold_out() -> ApiError:
    """No host has room for that type at that place now."""
    return ApiError(412, "resource_unavailable", "error during placement")


def unsupported(what: str) -> ApiError:
    """The official API knows it, this cloud does not."""
    return ApiError(422, "unsupported_error", f"this sandbox does not offer {what}")
