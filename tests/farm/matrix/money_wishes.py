"""What happens to the money of the farm's one payer, as the zygote's children have it happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer
from farm.billing.models import Payer
from farm.billing.stripe_rows import StripeRound
from tests.farm.billing.wallets import pay_in, use, wallet_of

Order = Mapping[str, str]


def have_wallet(order: Order) -> str:
    """From now on its one payer pays in advance, and has so many micro-euros."""
    now = timezone.now()
    StripeRound.objects.get_or_create(pk=1, defaults={"due_at": now + timedelta(days=1)})
    customer = wallet_of(Payer.objects.get().account)
    pay_in(customer.payer, int(order["micros"]))
    return _look()


def pay(order: Order) -> str:
    """So much came."""
    pay_in(Payer.objects.get(), int(order["micros"]))
    return _look()


def run_out(_order: Order) -> str:
    """All that is free is used, and a cent of what is set aside."""
    payer = Payer.objects.get()
    use(payer, balance_of(payer, timezone.now()).available + 10_000)
    return _look()


def be_late(order: Order) -> str:
    """What time does: so many days go by for who is out of money."""
    later, customer = timedelta(days=int(order["days"])), Customer.objects.get()
    since = customer.dry_since - later if customer.dry_since else None
    Customer.objects.update(dry_since=since, stage_at=customer.stage_at - later)
    return _look()


def _look() -> str:
    """A payer is looked at every few minutes: the next look is now."""
    Customer.objects.update(due_at=timezone.now())
    return str(Customer.objects.get().stage)


MONEY_VERBS: Mapping[str, Callable[[Order], str]] = {
    "be_late": be_late,
    "have_wallet": have_wallet,
    "pay": pay,
    "run_out": run_out,
}
