"""How Hetzner Cloud charges; an imported invoice confirms or corrects what is marked as assumed.

Sources: docs.hetzner.com/cloud/billing/faq and docs.hetzner.com/cloud/servers/overview, read in
November 2026, and `GET /pricing` of its API for the prices themselves, net.

- A server costs its hourly price for each started hour from its creation until its deletion, on or
  off, and no more in a calendar month than its monthly price (billing FAQ: "How are servers
  billed?", "Do you bill servers that are off?").
- A primary IPv4 is an item of its own with a price by the hour and by the month, for as long as it
  exists; IPv6 is free (`pricing.primary_ips`).
- A snapshot costs a price for each GB and month, for as long as it exists (`pricing.image`). The
  assumption: the started hours of a month share it evenly.
- The cloud's own backups cost 20 % of the server's price (`pricing.server_backup.percentage`), and
  outgoing traffic beyond what is included a price for each TB (`price_per_tb_traffic`). The farm
  never switches the first on and meters neither: what an invoice has of them is a difference.
- A rescaled server has the price of its new type from then on. The assumption: it is charged as one
  server that ended and another that began, so the hour of the change counts for both, and each has
  a monthly price of its own.
- The assumption: a month is one of UTC, and an hour counts in the month in which it began.
- A change of prices says for itself whether it is also for servers that exist: that of April 2026
  was, that of June 2026 was not. So none is applied until somebody who was told says so.
"""

from __future__ import annotations

from farm.billing.charging.terms import CloudTerms

TERMS = CloudTerms(off_is_free=False, resize_counts_anew=True)


def capped_hour(hourly_micros: int, monthly_micros: int, so_far: int) -> int:
    """One more hour of a month that has cost `so_far`: its price, or what is left of the month."""
    return max(0, min(hourly_micros, monthly_micros - so_far))


def shared_hour(monthly_micros: int, number: int, hours: int) -> int:
    """The GB-month: the hour `number` (from 0) of a month of so many `hours`.

    So many started hours cost so much of the month's price, half up. Each hour is what the sum
    grows by, so that the sum is never off by what was rounded.
    """
    grown = [(2 * monthly_micros * many + hours) // (2 * hours) for many in (number, number + 1)]
    return grown[1] - grown[0]
