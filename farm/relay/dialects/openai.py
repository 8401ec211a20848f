"""What both of OpenAI's APIs share: the key, the envelope of an error, the tiers of service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from farm.relay.dialects.events import event_bytes
from farm.relay.wire import BadCall, Json, JsonObject, text_in

_TYPES = {401: "authentication_error", 429: "rate_limit_error"}


class OpenAIHead:
    """How a key is shown and an error told."""

    kind = "text/event-stream"

    def key(self, headers: Mapping[str, str], _query: Mapping[str, str]) -> str:
        """As bearer token."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    def headers(self, key: str, _given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The key, and nothing of the caller's."""
        yield "Authorization", f"Bearer {key}"

    def models(self, model: str) -> bytes:
        """A list of one."""
        one: Json = {"id": model, "object": "model", "created": 0, "owned_by": "farm"}
        return event_bytes({"object": "list", "data": [one]}, whole=True)

    def error(self, status: int, message: str) -> bytes:
        """Its envelope."""
        kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        told = {"message": message, "type": kind, "param": None, "code": None}
        return event_bytes({"error": told}, whole=True)


def demand_usual_tier(body: JsonObject) -> None:
    """BadCall for a tier of service that has prices of its own."""
    if text_in(body, "service_tier") not in ("", "auto", "default", "flex"):
        raise BadCall("The relay carries the usual service_tier only.")
