"""An invitation in words: for its guest, and for who sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from farm.accounts.models import Account, Invitation, User
from farm.accounts.selectors import InvitationState, invitation_is, invitations_of
from farm.agents import selectors
from farm.catalog import catalog
from farm.web.forms import AnswerForm
from farm.web.presenters.offers import (
    Chosen,
    ModelOption,
    RoleCard,
    model_options,
    region_options,
    role_cards,
)

State = InvitationState


@dataclass(frozen=True, slots=True)
class GuestWords:
    """What a guest reads of their invitation; `email` is "" for a link."""

    inviter: str
    account: str
    payer: str
    sentence: str
    email: str


@dataclass(frozen=True, slots=True)
class TroubleWords:
    """Why there is nothing to be had, and what to do; the button leads to `url`, "" for none."""

    heading: str
    sentence: str
    button: str
    url: str


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """One invitation in the list of its account; `took` names who took it up."""

    uid: str
    what: str
    role: str
    state: str
    is_open: bool
    took: tuple[str, ...]
    until: str


def guest_words(found: Invitation) -> GuestWords:
    """Who invites, who pays, up to how much."""
    promise = selectors.promise_of(found)
    return GuestWords(
        inviter=found.inviter.called,
        account=found.account.name,
        payer=promise.payer,
        sentence=_promise(found.inviter.called, promise),
        email=found.email,
    )


def _promise(inviter: str, promise: selectors.Promise) -> str:
    if not promise.lender:
        text = gettext("%(inviter)s has an agent for you. %(payer)s pays for hosting.")
    elif promise.lender == promise.payer:
        text = gettext(
            "%(inviter)s has an agent for you. %(payer)s pays for hosting and AI, up to %(budget)s"
            " of AI a month."
        )
    else:
        text = gettext(
            "%(inviter)s has an agent for you. %(payer)s pays for hosting, %(lender)s for AI, up to"
            " %(budget)s a month."
        )
    budget = promise.budget_in(get_language() or "en")
    values = {"payer": promise.payer, "lender": promise.lender, "budget": budget}
    return text % {"inviter": inviter, **values}


def question_words(found: Invitation, form: AnswerForm) -> dict[str, object]:
    """The cards, the folded line and what is behind it."""
    promise = selectors.promise_of(found)
    chosen = Chosen(found.plan, found.region or form.text("region"), form.text("model_provider"))
    ai = _whose_ai(promise, chosen)
    return {
        "roles": _roles(found, form.text("blueprint")),
        "regions": () if found.region else region_options(chosen.region_key),
        "models": _models(promise, chosen.model_key),
        "summary": f"{chosen.plan} - {chosen.region} - {ai}",
        "is_open": bool(form.errors.keys() & {"region", "model_provider", "model_key"}),
        "promise": promise,
        "currency": catalog().currency,
    }


def _whose_ai(promise: selectors.Promise, chosen: Chosen) -> str:
    if promise.lender and not chosen.model_key:
        return gettext("AI from %(payer)s") % {"payer": promise.lender}
    return gettext("AI: %(model)s") % {"model": chosen.model}


def _roles(found: Invitation, sent: str) -> Sequence[RoleCard]:
    """The role that is offered stands first, and is chosen until another one is."""
    cards = role_cards(sent or found.blueprint)
    return sorted(cards, key=lambda card: card.key != (found.blueprint or cards[0].key))


def _models(promise: selectors.Promise, sent: str) -> tuple[ModelOption, ...]:
    own = model_options(sent)
    if not promise.lender:
        return own
    name = gettext("AI from %(payer)s") % {"payer": promise.lender}
    hint = gettext("Up to %(budget)s a month") % {
        "budget": promise.budget_in(get_language() or "en")
    }
    offered = ModelOption("", name, hint, needs_key=False, chosen=not sent)
    rest = (
        ModelOption(one.key, one.name, one.hint, one.needs_key, chosen=one.key == sent)
        for one in own
    )
    return (offered, *rest)


def trouble_words(state: State, found: Invitation, user: User | None) -> TroubleWords:
    """What a guest reads where an invitation opens nothing for them."""
    values = {
        "inviter": found.inviter.called,
        "account": found.account.name,
        "email": found.email,
        "you": user.email if user else "",
    }
    heading, sentence = (text % values for text in _trouble(state))
    if state == State.OTHER_PERSON:
        return TroubleWords(heading, sentence, gettext("Log out"), reverse("account_logout"))
    if user is None:
        return TroubleWords(heading, sentence, gettext("Log in"), reverse("account_login"))
    return TroubleWords(heading, sentence, gettext("To my agents"), reverse("agents"))


def _trouble(state: State) -> tuple[str, str]:
    return {
        State.EXPIRED: (
            gettext("This invitation has run out"),
            gettext("Ask %(inviter)s for a new one: that takes a minute."),
        ),
        State.USED_UP: (
            gettext("This invitation has been used"),
            gettext(
                "Was it you? Log in: your agent is there. Else ask %(inviter)s for one of your own."
            ),
        ),
        State.REVOKED: (
            gettext("This invitation was taken back"),
            gettext("Ask %(inviter)s whether it was meant, and for a new one."),
        ),
        State.OTHER_PERSON: (
            gettext("This invitation is for somebody else"),
            gettext(
                "It was sent to %(email)s, and you are logged in as %(you)s. If both are you, log"
                " out, then open it once more. Else ask %(inviter)s for one of your own."
            ),
        ),
    }.get(
        state,
        (
            gettext("You are in %(account)s already"),
            gettext("You need no invitation there: make an agent whenever you like."),
        ),
    )


def invitation_lines(account: Account) -> Sequence[InvitationLine]:
    """Every invitation of the account, the newest first."""
    return [_line(one) for one in invitations_of(account)]


def _line(one: Invitation) -> InvitationLine:
    state = invitation_is(one, timezone.now())
    link = gettext("A link, %(taken)s of %(most)s taken") % {
        "taken": one.taken,
        "most": one.most_uses,
    }
    return InvitationLine(
        uid=one.uid,
        what=one.email or link,
        role=one.get_role_display(),
        state=_state_words(state),
        is_open=state == State.OPEN,
        took=tuple(use.user.called for use in one.uses.all()),
        until=date_format(one.expires_at, "j F Y"),
    )


def _state_words(state: State) -> str:
    return {
        State.OPEN: gettext("open"),
        State.EXPIRED: gettext("run out"),
        State.USED_UP: gettext("taken up"),
        State.REVOKED: gettext("taken back"),
    }.get(state, "")
