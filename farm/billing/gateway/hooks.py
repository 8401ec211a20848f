"""Where Stripe sends its webhooks: the farm's own address, told to it by the farm itself."""

from __future__ import annotations

from collections.abc import Sequence

from farm.billing.gateway.line import Line, sorted_errors


class Hooks(Line):
    """The addresses that hear of events."""

    def hear_at(self, url: str, types: Sequence[str]) -> str:
        """Have these events sent there, and no others; answers the secret that signs them.

        An endpoint of before at that address is taken away: its secret is never told again.
        """
        endpoints = self.client.v1.webhook_endpoints
        with sorted_errors():
            for one in endpoints.list({"limit": 100}).auto_paging_iter():
                if one.url == url:
                    endpoints.delete(one.id)
            # The SDK lists every event's name as a type of its own; ours are plain words.
            made = endpoints.create({"url": url, "enabled_events": list(types)})  # type: ignore[arg-type]
        return made.secret or ""
