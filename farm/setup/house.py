"""The farm's own addresses: what they must look like, and whether the world finds this machine."""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.setup.answers import keep, kept

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"({LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
SEEN = "/set-up/here/"
PATIENCE = 6.0


@dataclass(frozen=True, slots=True)
class House:
    """The host name of the site, and the domain below which each agent has one of its own."""

    site: str
    agents: str


def checked_house(site: str, agents: str) -> House:
    """Both as host names in small letters; Refused names the field."""
    house = House(_domain(site, "site_domain"), _domain(agents, "agents_domain"))
    if _related(house.site, house.agents):
        sentence = _(
            "An agent's page is not to be trusted with the site's cookies: take a domain that is"
            " registered apart, as agents-example.net for example.org."
        )
        raise Refused("agents_domain", "same_domain", sentence)
    return house


def check_house(house: House) -> None:
    """Whether both lead to this very machine; Refused says which does not, and what it needs."""
    _demand_here(house.site, "site_domain", house.site)
    probe = f"{secrets.token_hex(4)}.{house.agents}"
    _demand_here(probe, "agents_domain", f"*.{house.agents}")


def keep_house(house: House) -> None:
    """What settings need of it: machines let nobody in but this one, at its addresses outside."""
    own, named = own_addresses(), sorted(_addresses_of(house.site))
    addresses = _in_the_open(own) or _in_the_open(named) or own
    keep("RELAY_URL", f"https://{house.site}/relay")
    keep("SITE_URL", f"https://{house.site}")
    keep("ALLOWED_HOSTS", house.site)
    keep("AGENTS_DOMAIN", house.agents)
    keep("EDGE_ADDRESSES", ",".join(addresses))
    keep("SSH_SOURCES", ",".join(str(ipaddress.ip_network(address)) for address in addresses))


def is_kept(house: House) -> bool:
    """Whether these very names were seen to lead here before."""
    return (kept("SITE_URL"), kept("AGENTS_DOMAIN")) == (f"https://{house.site}", house.agents)


def sign_of_here(question: str) -> str:
    """What this machine answers to a question, and no other machine can."""
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, f"here {question[:64]}".encode(), "sha256").hexdigest()


def own_addresses() -> list[str]:
    """The addresses that this machine reaches the internet from; nothing is sent."""
    found = []
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            try:
                line.connect((somewhere, 9))
            except OSError:
                continue
            found.append(str(line.getsockname()[0]))
    return found


def _domain(text: str, field: str) -> str:
    name = text.strip().lower().removeprefix("https://").rstrip("/.")
    if not DOMAIN.fullmatch(name) or len(name) > 200:
        sentence = _("Give a host name, such as farm.example.org, without an address around it.")
        raise Refused(field, "no_domain", sentence)
    return name


def _related(one: str, other: str) -> bool:
    """Whether one is below the other, or both below the same; two labels are what one registers."""
    return one.split(".")[-2:] == other.split(".")[-2:]


def _in_the_open(addresses: Sequence[str]) -> Sequence[str]:
    """Behind a cloud's address translation a machine does not know its own address out there."""
    return [address for address in addresses if ipaddress.ip_address(address).is_global]


def _demand_here(host: str, field: str, record: str) -> None:
    addresses = " ".join(own_addresses()) or _("this machine's address")
    if not _addresses_of(host):
        sentence = _(
            "The name is not known in the internet: add a DNS record %(record)s that points to"
            " %(address)s. It may take some minutes until it is seen."
        )
        raise Refused(field, "no_dns", sentence % _record(record, addresses))
    if not _answers_here(host):
        sentence = _(
            "This name leads to another machine: point its DNS record %(record)s to %(address)s,"
            " and let nothing stand between on the ports 80 and 443, neither proxy nor firewall."
        )
        raise Refused(field, "elsewhere", sentence % _record(record, addresses))


def _addresses_of(host: str) -> set[str]:
    try:
        found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(where[0]) for *_, where in found}


def _record(record: str, address: str) -> dict[str, str]:
    return {"record": record, "address": address}


def _answers_here(host: str) -> bool:
    question = secrets.token_hex(16)
    try:
        answer = httpx.get(
            f"http://{host}:{settings.EDGE_HTTP_PORT}{SEEN}",
            params={"question": question},
            timeout=PATIENCE,
            trust_env=False,
        )
    except (httpx.TransportError, httpx.InvalidURL):
        return False
    return hmac.compare_digest(answer.text.strip().encode(), sign_of_here(question).encode())
