"""How Scaleway charges; an imported invoice confirms or corrects what is marked as assumed.

Sources: scaleway.com/en/docs/instances/faq and scaleway.com/en/pricing, read in November 2026, and
the prices of `GET /instance/v1/zones/{zone}/products/servers` and of its product catalogue, net.

- An instance costs its hourly price for each started period of 60 minutes of each time that it is
  on, and once for the shortest; powered off it costs no compute, in standby it does (FAQ: "How am I
  billed for Instances?"). Each time is priced as the type it then was.
- A flexible IPv4 and a block volume are items of their own: each started period of 60 minutes from
  when they are made until they are removed, on or off, one at least.
- A snapshot costs each started hour the price of its GB.
- There is no price for a month at which it stops: what its lists show for one is 730 hours. The
  assumption: none is applied, also where a month has fewer.
- Traffic costs nothing.
"""

from __future__ import annotations

from farm.billing.charging.terms import CloudTerms

TERMS = CloudTerms(off_is_free=True, resize_counts_anew=False)


def period(hourly_micros: int) -> int:
    """One more started period of 60 minutes: always the same."""
    return hourly_micros
