"""Inviting somebody to an agent: checked against what is on sale and who pays, then mailed."""

from __future__ import annotations

import smtplib
from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from farm.accounts import mail
from farm.accounts import services as accounts
from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import NewInvitation, Opened
from farm.agents.clouds import regions
from farm.agents.refusals import Refused
from farm.agents.selectors.invitations import promise_of
from farm.agents.selectors.shared_keys import shared_keys_of
from farm.agents.services.paying import checked_charge
from farm.agents.services.thinking import MindWish, checked_mind
from farm.agents.services.wishes import chosen
from farm.catalog import catalog

OWN_KEY = "own"
"""In place of a shared key's uid: the guest brings a key of their own."""


def invite(*, actor: User, door: Door, account: Account, offer: NewInvitation) -> Opened:
    """An invitation, mailed if it has an address; Refused says at which field, and nothing is left.

    Without a word about AI the account's first shared key is offered, with its usual budget.
    """
    demand(actor, Action.MANAGE_PEOPLE, account)
    opened = accounts.add_invitation(
        actor=actor, door=door, account=account, offer=checked_offer(actor, account, offer)
    )
    if opened.invitation.email:
        _mail(opened)
    return opened


def link_of(opened: Opened) -> str:
    """What the guest opens; whoever has it may use it, so it is shown once."""
    return f"{settings.SITE_URL}/invitations/{opened.token}/"


def checked_offer(actor: User, account: Account, offer: NewInvitation) -> NewInvitation:
    """The offer with payer, key and budget named as they are today; Refused says at which field."""
    shelves = catalog()
    chosen(shelves.blueprints, offer.blueprint, "blueprint")
    chosen(shelves.plans, offer.plan, "plan")
    chosen(regions(), offer.region, "region")
    to = checked_charge(actor, account, offer.payer_uid, offer.cost_centre)
    offer = replace(offer, payer_uid=to.payer.uid, cost_centre=to.cost_centre)
    first = shared_keys_of(account).first()
    if offer.shared_key_uid == OWN_KEY or not (offer.shared_key_uid or first):
        return replace(offer, shared_key_uid="", ai_budget_micros=None)
    wanted = MindWish(shared_key_uid=offer.shared_key_uid, ai_budget_micros=offer.ai_budget_micros)
    mind = checked_mind(actor, account, wanted)
    uid = mind.shared_key.uid if mind.shared_key else ""
    return replace(offer, shared_key_uid=uid, ai_budget_micros=mind.budget_micros)


def _mail(opened: Opened) -> None:
    """Send it, or take it back: an invitation that nobody received is none."""
    invitation = opened.invitation
    promise = promise_of(invitation)
    context = {
        "inviter": invitation.inviter.called,
        "account": invitation.account.name,
        "payer": promise.payer,
        "lender": "" if promise.lender == promise.payer else promise.lender,
        "budget": promise.budget_in(invitation.language),
        "until": f"{invitation.expires_at:%Y-%m-%d}",
        "url": link_of(opened),
    }
    try:
        mail.send(
            template="invitation",
            to=invitation.email,
            language=invitation.language,
            context=context,
        )
    except (OSError, smtplib.SMTPException):
        invitation.delete()
        sentence = _("The mail could not be sent, so nobody is invited. Try again in a minute.")
        raise Refused("email", "mail_unavailable", sentence) from None
