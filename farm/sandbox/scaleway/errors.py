"""Refusals as Scaleway words them: a status, a type, a sentence and what belongs to the type."""

from __future__ import annotations

from collections.abc import Mapping

from farm.sandbox.wire import Json, JsonObject


class ApiError(Exception):
    """The request is refused with the official body."""

    def __init__(
        self, status: int, kind: str, message: str, more: Mapping[str, Json] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.more = more or {}

    def body(self) -> JsonObject:
        """{"type", "message", ...}."""
        return {"type": self.kind, "message": self.message, **self.more}


def invalid(argument: str, reason: str = "constraint") -> ApiError:
    """One argument is not acceptable."""
    details: list[Json] = [{"argument_name": argument, "reason": reason, "help_message": ""}]
    return ApiError(400, "invalid_arguments", "invalid argument(s)", {"details": details})


def not_found(resource: str, uid: str) -> ApiError:
    """There is no such thing in the project."""
    more: JsonObject = {"resource": resource, "resource_id": uid}
    return ApiError(404, "not_found", "resource is not found", more)


def no_access() -> ApiError:
    """The key is missing or unknown."""
    more: JsonObject = {"method": "api_key", "reason": "invalid_argument"}
    return ApiError(401, "denied_authentication", "authentication is denied", more)


def not_permitted() -> ApiError:
    """The key is of another project."""
    return ApiError(403, "permissions_denied", "insufficient permissions", {"details": []})


def quota_exceeded(resource: str, quota: int, current: int) -> ApiError:
    """The organization may not hold more of these."""
    details: list[Json] = [{"resource": resource, "quota": quota, "current": current}]
    return ApiError(
        403, "quotas_exceeded", "quota(s) exceeded for this resource", {"details": details}
    )


def out_of_stock(resource: str) -> ApiError:
    """No host has room for that type in that zone now."""
    return ApiError(412, "out_of_stock", "resource is out of stock", {"resource": resource})


def in_transit(resource: str, uid: str, state: str) -> ApiError:
    """An action is under way on it."""
    more: JsonObject = {"resource": resource, "resource_id": uid, "current_state": state}
    return ApiError(409, "transient_state", "resource is in a transient state", more)


def precondition(which: str, help_message: str) -> ApiError:
    """It cannot be done as things are."""
    more: JsonObject = {"precondition": which, "help_message": help_message}
    return ApiError(412, "precondition_failed", "precondition is not respected", more)


def unsupported(what: str) -> ApiError:
    """The official API knows it, this cloud does not."""
    return ApiError(400, "invalid_request_error", f"this sandbox does not offer {what}")
