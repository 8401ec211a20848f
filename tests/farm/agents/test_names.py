"""Names that could be taken for the farm's own, for a bank's, or for another's are refused."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from farm.accounts.refusals import Refused
from farm.agents.names import checked_name

LIKE_THE_FARMS = (
    *("admin", "Admin 2", "ADMIN", "4dmin", "adm1n", "adrnin", "admin-login", "Farm Support"),
    *("farm", "fаrm", "www", "vvww", "login", "l0gin", "Lögin", "paypal", "pаypаl", "PayPa1"),
    *("xn--pypal-4ve", "Ferme", "sécurité", "paiement", "postmaster"),
)
MIXED = ("Vеra", "Nοra", "Оtto")
FINE = ("Vera", "Маша", "Ελένη", "Otto 2", "Farmer Joe", "Administration-Hilfe", "名前", "Zoé")


@pytest.mark.parametrize("name", [*LIKE_THE_FARMS, *MIXED])
def test_a_name_that_misleads_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_name(name)
    assert refused.value.field == "name"


@pytest.mark.parametrize("name", FINE)
def test_an_honest_name_is_taken(name: str) -> None:
    assert checked_name(name) == name


def test_the_words_of_the_farms_own_addresses_are_reserved(settings: Settings) -> None:
    settings.SITE_URL, settings.AGENTS_DOMAIN = "https://ateliers.example", "helfer.example"
    for name in ("Ateliers", "Helfer", "he1fer"):
        with pytest.raises(Refused):
            checked_name(name)
