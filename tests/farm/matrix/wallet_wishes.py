"""Wishes of people who pay in advance, as the zygote's children utter them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from allauth.account.models import EmailAddress
from django.utils import timezone

from farm.accounts.models import Account, Door, User
from farm.accounts.services import account_of
from farm.agents import services
from farm.agents.refusals import Refused
from farm.billing.automatic import set_automatic_top_up
from farm.billing.balances import balance_of
from farm.billing.customer_rows import TopUp
from farm.billing.ledger import post, unequal
from farm.billing.models import Payer
from farm.billing.payers import default_payer
from farm.billing.topups import ask_top_up, look_at

Order = Mapping[str, str]


def open_wallet(order: Order) -> str:
    """Somebody comes who pays in advance, and asks for the page to pay so many cents on."""
    person = User.objects.create(email=order["email"])
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    payer = default_payer(account_of(user=person))
    Payer.objects.filter(pk=payer.pk).update(kind=Payer.Kind.WALLET)
    payer.refresh_from_db()
    asked = ask_top_up(
        actor=person,
        door=Door.WEB,
        payer=payer,
        cents=int(order["cents"]),
        success_url="http://127.0.0.1/paid?session={CHECKOUT_SESSION_ID}",
        cancel_url="http://127.0.0.1/back",
        language="en",
    )
    return asked.url


def come_back(order: Order) -> str:
    """They come back from the page; with `cents` that much is charged whenever it gets low."""
    paid = look_at(TopUp.objects.get(asked_by=order["email"]))
    if "cents" in order:
        person, payer = User.objects.get(email=order["email"]), paid.customer.payer
        set_automatic_top_up(actor=person, door=Door.WEB, payer=payer, cents=int(order["cents"]))
    return paid.state


def ask_as(order: Order) -> str:
    """Somebody asks for an agent: its uid, or "" where their money does not reach."""
    person = User.objects.get(email=order["email"])
    wish = services.AgentWish(name="Ada", language="en", region=order["region"])
    try:
        agent = services.create_agent(
            actor=person, account=account_of(user=person), door=Door.WEB, wish=wish
        )
    except Refused:
        return ""
    return agent.uid


def settle(_order: Order) -> str:
    """Post the days that are over; says what does not add up in the ledger."""
    post(timezone.now())
    return " ".join(str(one.account) for one in unequal())


def left_in(order: Order) -> str:
    """What somebody's wallet has left, in micro-euros."""
    account = Account.objects.get(memberships__user__email=order["email"])
    return str(balance_of(default_payer(account), timezone.now()).left)


WALLET_VERBS: Mapping[str, Callable[[Order], str]] = {
    "ask_as": ask_as,
    "come_back": come_back,
    "left_in": left_in,
    "open_wallet": open_wallet,
    "settle": settle,
}
