"""Names of agents: what may be one, and the host name made from it."""

from __future__ import annotations

import re
import secrets
import unicodedata
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import ALPHABET
from farm.agents.models import Agent
from farm.agents.refusals import Refused

LONGEST = 40
_RESERVED = """
    amazon apple bank banque facebook github gmail google hetzner icloud impots instagram microsoft
    office outlook password passwort paypal scaleway slack stripe whatsapp
    abuse account accounts admin administrator agent agents api app auth billing console
    dashboard edge farm gateway help host hostmaster localhost login mail model official
    operator owner payment postmaster relay root sandbox security server site static status
    support sysadmin system team telegram webmaster www
    administrateur aide assistance compte equipe facturation ferme operateur paiement securite
"""
RESERVED = frozenset(_RESERVED.split())
ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
"""Alphabets that have letters alike: a word has letters of one of them."""
# Letters and digits that pass for another at a glance; o and l stand for their whole families.
LOOK_ALIKES = str.maketrans("01i|!3457$@асеорхуіѕԁαοιρν", "olllleastsaaceopxylsdaoipv")


def checked_name(name: str) -> str:
    """The name without outer blanks, or Refused."""
    name = " ".join(unicodedata.normalize("NFC", name).split(" ")).strip()
    if not name:
        raise Refused("name", "name_empty", _("Give your agent a name."))
    if len(name) > LONGEST:
        raise Refused("name", "name_too_long", _("Take a name of up to 40 characters."))
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") for letter in name):
        raise Refused(
            "name", "name_characters", _("Take a name without control or invisible characters.")
        )
    if not any(letter.isalnum() for letter in name):
        raise Refused(
            "name", "name_characters", _("Take a name with at least one letter or digit.")
        )
    if _looks_reserved(name):
        raise Refused(
            "name", "name_reserved", _("This name could be taken for the farm's own: take another.")
        )
    if _is_mixed(name):
        raise Refused(
            "name", "name_characters", _("Take a name whose words are each of one alphabet.")
        )
    return name


def free_host(name: str) -> str:
    """A host name made from `name` that no agent has or had; call it inside the transaction."""
    base = slugify(name)[:40].strip("-") or "agent"
    if not _looks_reserved(base) and not Agent.objects.filter(host=base).exists():
        return base
    while Agent.objects.filter(host=(host := f"{base}-{_tail()}")).exists():
        continue
    return host


def _tail() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(4))


def _looks_reserved(name: str) -> bool:
    """Whether it could be taken for the farm's own at a glance, or for somebody people trust."""
    reserved = {_folded(word) for word in RESERVED | _own_words()}
    words = [word for word in re.split(r"[\W_]+", name) if not word.isdecimal()]
    bare = name.rstrip("0123456789 -._")
    if name.casefold().startswith("xn--") or {_folded(name), _folded(bare)} & reserved:
        return True
    return bool(words) and all(_folded(word) in reserved for word in words)


def _own_words() -> frozenset[str]:
    """The words in the farm's own addresses."""
    hosts = (urlsplit(settings.SITE_URL).hostname or "", settings.AGENTS_DOMAIN)
    return frozenset(word for host in hosts for word in host.split(".") if len(word) > 3)


def _folded(name: str) -> str:
    """What is left when case, accents, signs and look-alike characters are taken away."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(LOOK_ALIKES)
    return re.sub(r"[^a-z0-9]", "", plain).replace("rn", "m").replace("vv", "w")


def _is_mixed(name: str) -> bool:
    return any(len(_alphabets(word)) > 1 for word in name.split())


def _alphabets(word: str) -> set[str]:
    names = (unicodedata.name(letter, "").partition(" ")[0] for letter in word)
    return {name for name in names if name in ALPHABETS}
