"""Who pays how, and what is kept of them at Stripe: kinds, cards, VAT ids, the portal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import Account, AuditEntry, Door, User
from farm.accounts.refusals import Refused
from farm.accounts.services import account_of
from farm.billing.cards import look_at_card_page, open_card_page, portal_of, remove_card
from farm.billing.customer_rows import Customer
from farm.billing.customers import customer_of, reference_of
from farm.billing.ledger import unequal
from farm.billing.models import Payer
from farm.billing.opening import gateway
from farm.billing.payer_kinds import set_payer_kind
from farm.billing.payers import default_payer
from farm.billing.services import add_payer
from farm.billing.stripe_rows import StripeEvent
from farm.billing.topups import look_at
from farm.billing.vat_ids import give_vat_id, remove_vat_id, status_of_vat_id
from tests.farm.billing.bill_scenes import NOVEMBER, used
from tests.farm.billing.topup_scenes import (
    BACK,
    PAID_PAGE,
    asked,
    books_agree,
    fetch,
    left,
    paid,
    understand,
    wallet,
    with_card,
)
from tests.farm.web.scenes import People, person
from tests.sandbox.stripe.acting import ASKS_ONCE, answer_bank, fill_in, led_on
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    stripe_at_work,
)

pytestmark = pytest.mark.django_db
INTERNAL, WALLET, INVOICE = Payer.Kind.INTERNAL, Payer.Kind.WALLET, Payer.Kind.INVOICE


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Iterator[StripeAtWork]:
    """A payment house to which the settings lead."""
    with stripe_at_work(tmp_path / "stripe") as started:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = started.endpoint
        yield started


@pytest.fixture
def payer(house: StripeAtWork, people: People) -> Payer:
    """Alice's wallet."""
    return wallet(people.account)


@pytest.fixture
def operator(db: None) -> User:
    """Who runs the farm."""
    return User.objects.create_superuser(username="op", email="op@example.org")


def card_page(actor: User, payer: Payer) -> str:
    """A page on which a card is kept."""
    return open_card_page(
        actor=actor,
        door=Door.WEB,
        payer=payer,
        success_url=PAID_PAGE,
        cancel_url=BACK,
        language="en",
    )


def test_whoever_opens_an_account_pays_in_advance_where_people_pay(
    people: People, settings: Settings, operator: User
) -> None:
    assert default_payer(people.account).kind == INTERNAL
    settings.STRIPE_SECRET_KEY = KEY
    dora = account_of(user=person("dora"))
    assert default_payer(dora).kind == WALLET
    assert Customer.objects.get().email == "dora@example.org"
    assert default_payer(Account.objects.order_by("pk")[0]).kind == INTERNAL
    assert default_payer(account_of(user=operator)).kind == INTERNAL
    owner = dora.memberships.get().user
    more = add_payer(actor=owner, account=dora, door=Door.WEB, name="Project")
    assert (more.kind, Customer.objects.count()) == (WALLET, 2)


def test_a_customer_is_made_once_even_if_its_answer_is_lost(
    house: StripeAtWork, payer: Payer
) -> None:
    customer, gate = customer_of(payer), gateway()
    assert gate is not None
    house.order("/faults", {"name": "reset-after", "cloud": "stripe", "match": ["customers"]})
    first = reference_of(customer, gate)
    assert reference_of(customer_of(payer), gate) == first
    (there,) = house.client().v1.customers.list().data
    assert (there.id, there.email) == (first, "alice@example.org")
    assert there.metadata is not None
    assert there.metadata["payer"] == payer.uid


def test_papers_go_to_who_answers_for_the_account_by_now(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    gate = gateway()
    assert gate is not None
    reference = reference_of(customer_of(payer), gate)
    User.objects.filter(pk=people.alice.pk).update(email="new@example.org")
    assert reference_of(customer_of(payer), gate) == reference
    assert house.client().v1.customers.retrieve(reference).email == "new@example.org"
    assert Customer.objects.get().email == "new@example.org"


def test_only_who_runs_the_farm_says_how_a_payer_pays(
    people: People, payer: Payer, operator: User, settings: Settings
) -> None:
    def wish(actor: User, kind: Payer.Kind) -> Payer:
        return set_payer_kind(actor=actor, door=Door.CLI, payer=payer, kind=kind)

    for stranger in (people.alice, people.bob, people.charlie):
        with pytest.raises(PermissionDenied):
            wish(stranger, INTERNAL)
    look_at(paid(people.alice, payer))
    with pytest.raises(Refused) as refused:
        wish(operator, INVOICE)
    assert (refused.value.code, "20.00" in str(refused.value.sentence)) == ("not_empty", True)
    other = wallet(account_of(user=people.charlie))
    asked(people.charlie, other)
    with pytest.raises(Refused) as refused:
        set_payer_kind(actor=operator, door=Door.CLI, payer=other, kind=INTERNAL)
    assert refused.value.code == "under_way"
    settings.STRIPE_SECRET_KEY = ""
    Payer.objects.update(kind=INTERNAL)
    with pytest.raises(Refused) as refused:
        wish(operator, WALLET)
    assert refused.value.code == "no_payments"


@pytest.mark.parametrize("kind", [WALLET, INVOICE])
def test_what_was_never_to_be_collected_is_not(
    house: StripeAtWork, people: People, operator: User, kind: Payer.Kind
) -> None:
    payer = default_payer(people.account)
    used(payer, "ada", 3_210_000, NOVEMBER)
    assert left(payer) == -321
    changed = set_payer_kind(actor=operator, door=Door.CLI, payer=payer, kind=kind)
    assert (changed.kind, left(payer), unequal()) == (kind, 0, [])
    again = set_payer_kind(actor=operator, door=Door.CLI, payer=payer, kind=kind)
    assert (again.kind, left(payer)) == (kind, 0)
    assert AuditEntry.objects.filter(verb=f"pay {kind}").count() == 1


def test_a_card_is_kept_on_a_page_and_taken_away(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    page = card_page(people.alice, payer)
    onward = led_on(answer_bank(fill_in(page, ASKS_ONCE), approve=True))
    checkout = onward.rpartition("=")[2]
    assert look_at_card_page(payer, checkout).card_name == "Visa 3155"
    other = wallet(account_of(user=people.charlie))
    assert look_at_card_page(other, checkout).card == ""
    Customer.objects.update(automatic_cents=2000)
    remove_card(actor=people.alice, door=Door.WEB, payer=payer)
    customer = Customer.objects.get(payer=payer)
    assert (customer.card, customer.card_name, customer.automatic_cents) == ("", "", 0)
    fetch()
    customer.refresh_from_db()
    assert customer.card == ""


def test_a_card_that_goes_at_stripe_goes_here(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    customer = with_card(house, payer)
    house.client().v1.payment_methods.detach(customer.card)
    fetch()
    customer.refresh_from_db()
    assert (customer.card, customer.automatic_cents) == ("", 0)
    remove_card(actor=people.alice, door=Door.WEB, payer=payer)


def test_the_newest_card_stays_whatever_is_told_late(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    paid(people.alice, payer)
    fetch(now=False)
    early = StripeEvent.objects.filter(type="payment_intent.succeeded")
    early.update(worked_at=timezone.now(), due_at=None)
    house.pass_time(timedelta(hours=1))
    page = fill_in(card_page(people.alice, payer), ASKS_ONCE)
    answer_bank(page, approve=True)
    fetch()
    assert Customer.objects.get().card_name == "Visa 3155"
    early.update(worked_at=None)
    understand()
    assert Customer.objects.get().card_name == "Visa 3155"
    assert not StripeEvent.objects.filter(worked_at=None).exists()


def test_a_vat_id_is_one_and_says_what_follows(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    def give(value: str) -> Customer:
        return give_vat_id(actor=people.alice, door=Door.WEB, payer=payer, value=value)

    for wrong in ("", "nonsense", "<b>", "X" * 41):
        with pytest.raises(Refused) as refused:
            give(wrong)
        assert refused.value.field == "vat_id"
    first = give("de 000 000 000")
    assert (first.vat_id, first.vat_status) == ("DE000000000", "verified")
    assert "reverse charge" in str(status_of_vat_id(first))
    assert give("DE000000000").vat_reference == first.vat_reference
    second = give("FR00000000000")
    there = house.client().v1.customers.tax_ids.list(second.reference).data
    assert [one.value for one in there] == ["FR00000000000"]
    gone = remove_vat_id(actor=people.alice, door=Door.WEB, payer=payer)
    assert (gone.vat_id, status_of_vat_id(gone)) == ("", "")
    assert house.client().v1.customers.tax_ids.list(second.reference).data == []


def test_the_portal_shows_what_is_there(house: StripeAtWork, people: People, payer: Payer) -> None:
    look_at(paid(people.alice, payer))
    address = portal_of(actor=people.alice, door=Door.WEB, payer=payer, return_url=BACK)
    shown = requests.get(address, timeout=30)
    assert "4242" in shown.text
    assert books_agree(house)


def test_what_is_a_payers_own_is_nobody_elses(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    door = Door.WEB
    deeds: list[Callable[[User], object]] = [
        lambda actor: card_page(actor, payer),
        lambda actor: remove_card(actor=actor, door=door, payer=payer),
        lambda actor: portal_of(actor=actor, door=door, payer=payer, return_url=BACK),
        lambda actor: give_vat_id(actor=actor, door=door, payer=payer, value="DE000000000"),
        lambda actor: remove_vat_id(actor=actor, door=door, payer=payer),
    ]
    for deed in deeds:
        for stranger in (people.bob, people.charlie):
            with pytest.raises(PermissionDenied):
                deed(stranger)
    assert not Customer.objects.exclude(reference="").exists()
