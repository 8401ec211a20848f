"""Names of agents: what may be one, and the host name made from it."""

from __future__ import annotations

import re
import secrets
import unicodedata

from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import ALPHABET
from farm.agents.models import Agent
from farm.agents.refusals import Refused

LONGEST = 40
_RESERVED = """
    abuse account accounts admin administrator agent agents api app auth billing console
    dashboard edge farm gateway help host hostmaster localhost login mail model official
    operator owner payment postmaster relay root sandbox security server site static status
    support sysadmin system team telegram webmaster www
    administrateur aide assistance compte equipe facturation ferme operateur paiement securite
"""
RESERVED = frozenset(_RESERVED.split())
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
    if _folded(name) in {_folded(word) for word in RESERVED}:
        raise Refused(
            "name", "name_reserved", _("This name could be taken for the farm's own: take another.")
        )
    return name


def free_host(name: str) -> str:
    """A host name made from `name` that no agent has or had; call it inside the transaction."""
    base = slugify(name)[:40].strip("-") or "agent"
    if base not in RESERVED and not Agent.objects.filter(host=base).exists():
        return base
    while Agent.objects.filter(host=(host := f"{base}-{_tail()}")).exists():
        continue
    return host


def _tail() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(4))


def _folded(name: str) -> str:
    """What is left when case, accents, signs and look-alike characters are taken away."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(LOOK_ALIKES)
    return re.sub(r"[^a-z0-9]", "", plain)
