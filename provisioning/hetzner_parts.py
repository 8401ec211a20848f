"""What hangs around a server at Hetzner: its firewall, its image, the copies of its disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from hcloud import APIException, Client
from hcloud.firewalls import BoundFirewall
from hcloud.firewalls import Firewall as CloudFirewall
from hcloud.firewalls import FirewallRule as CloudRule
from hcloud.images import BoundImage, Image

from provisioning.errors import Transient
from provisioning.hetzner_errors import names_in
from provisioning.hetzner_values import cloud_rules, rule_key, selector
from provisioning.provider import Firewall

MACHINES_A_LOOK = 20


@contextmanager
def absence_is_fine() -> Iterator[None]:
    """What is gone already need not be ended."""
    try:
        yield
    except APIException as refusal:
        if refusal.code != "not_found":
            raise


def ensured(client: Client, wanted: Firewall) -> BoundFirewall:
    """The firewall of that name with these very rules; made or corrected if need be."""
    rules = cloud_rules(wanted)
    firewall = client.firewalls.get_by_name(wanted.name)
    firewall = firewall or _new_firewall(client, wanted.name, rules)
    if {rule_key(rule) for rule in firewall.rules or ()} != {rule_key(r) for r in rules}:
        firewall.set_rules(rules)
    return firewall


class KnownFirewalls:
    """Firewalls lately found in step, each good for some machines before it is looked at again."""

    def __init__(self) -> None:
        self._known: dict[Firewall, tuple[int, int]] = {}

    def known(self, wanted: Firewall) -> CloudFirewall | None:
        """The one that was found with these very rules; None once that is too long ago."""
        number, uses = self._known.get(wanted, (0, 0))
        if not uses:
            return None
        self._known[wanted] = (number, uses - 1)
        return CloudFirewall(id=number)

    def keep(self, client: Client, wanted: Firewall) -> CloudFirewall:
        """The one with these very rules, looked at now."""
        number = ensured(client, wanted).id or 0
        self._known[wanted] = (number, MACHINES_A_LOOK)
        return CloudFirewall(id=number)


def is_about_firewall(refusal: APIException) -> bool:
    """Whether an order was refused because its firewall may be gone."""
    return refusal.code == "not_found" or "firewalls" in names_in(refusal, "fields")


def _new_firewall(client: Client, name: str, rules: list[CloudRule]) -> BoundFirewall:
    try:
        return client.firewalls.create(name=name, rules=rules).firewall
    except APIException as refusal:
        if refusal.code != "uniqueness_error":
            raise
    # Another worker was faster with the farm's first machine.
    made = client.firewalls.get_by_name(name)
    if made is None:
        raise Transient("firewall_taken", f"The firewall {name} is taken and not seen yet.")
    return made


def image_named(word: str) -> Image:
    """The image that an order means: snapshots have no name and go by their id."""
    return Image(id=int(word)) if word.isdecimal() else Image(name=word)


def snapshots_with(client: Client, labels: Mapping[str, str]) -> list[BoundImage]:
    """The project's snapshots that carry all `labels`, the newest first."""
    # The SDK (2.27) sends the page size as `status`, so what stands is looked at here.
    found = client.images.get_all(type=["snapshot"], label_selector=selector(labels))
    return sorted(found, key=_age, reverse=True)


def _age(image: BoundImage) -> tuple[datetime, int]:
    return (image.created or datetime.min.replace(tzinfo=UTC), image.id or 0)
