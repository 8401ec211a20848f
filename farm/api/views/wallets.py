"""Paying in: top-ups, the kept card, the VAT id."""

from __future__ import annotations

from typing import ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.models import Door, new_uid
from farm.accounts.refusals import Refused
from farm.accounts.tokens import Scope
from farm.api.asking import payer_asked_for, person
from farm.api.money_shapes import (
    AutomaticWish,
    CardShape,
    NewTopUp,
    NewVatId,
    PageAddress,
    TopUpPage,
    TopUpShape,
    VatIdShape,
)
from farm.api.pages import Piece, piece_of
from farm.api.scoped import ScopedView
from farm.api.views.agents import REFUSED
from farm.billing.automatic import set_automatic_top_up
from farm.billing.cards import open_card_page, remove_card
from farm.billing.customer_rows import Customer, TopUp
from farm.billing.models import Payer
from farm.billing.topups import ask_top_up
from farm.billing.vat_ids import give_vat_id, remove_vat_id
from farm.links import absolute


class TopUps(ScopedView):
    """/accounts/UID/payers/PAYER/top-ups/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ, "POST": Scope.MONEY_WRITE}

    @extend_schema(operation_id="list_top_ups", parameters=[Piece], responses=TopUpPage)
    def get(self, request: Request, uid: str, payer: str) -> Response:
        """What was paid in, or tried, the newest first. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        rows = TopUp.objects.filter(customer__payer=found)
        return Response(TopUpPage(piece_of(rows, request, "uid")).data)

    @extend_schema(
        operation_id="ask_top_up", request=NewTopUp, responses={201: TopUpShape, **REFUSED}
    )
    def post(self, request: Request, uid: str, payer: str) -> Response:
        """A page, at `url`, on which a person pays that in. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        asked = NewTopUp(data=request.data)
        asked.is_valid(raise_exception=True)
        key = asked.validated_data.get("key") or new_uid()
        made = ask_top_up(
            actor=person(request),
            door=Door.API,
            payer=found,
            cents=asked.validated_data["cents"],
            success_url=absolute("wallet", found.uid),
            cancel_url=absolute("wallet", found.uid),
            language=asked.validated_data["language"],
            key=key,
        )
        return Response(TopUpShape(made).data, status=status.HTTP_201_CREATED)


class OneTopUp(ScopedView):
    """/accounts/UID/payers/PAYER/top-ups/TOPUP/"""

    scopes: ClassVar = {"GET": Scope.MONEY_READ}

    @extend_schema(operation_id="show_top_up", responses=TopUpShape)
    def get(self, request: Request, uid: str, payer: str, top_up: str) -> Response:
        """How it stands; `paid` once the money is in the wallet. Scope: money:read."""
        found = payer_asked_for(request, uid, payer)
        row = TopUp.objects.filter(customer__payer=found, uid=top_up).first()
        if row is None:
            raise Http404
        return Response(TopUpShape(row).data)


class Card(ScopedView):
    """/accounts/UID/payers/PAYER/card/"""

    scopes: ClassVar = {
        "GET": Scope.MONEY_READ,
        "POST": Scope.MONEY_WRITE,
        "DELETE": Scope.MONEY_WRITE,
    }

    @extend_schema(operation_id="show_card", responses=CardShape)
    def get(self, request: Request, uid: str, payer: str) -> Response:
        """The kept card, and what is charged to it by itself. Scope: money:read."""
        return Response(CardShape(_customer(payer_asked_for(request, uid, payer))).data)

    @extend_schema(operation_id="add_card", request=None, responses={201: PageAddress, **REFUSED})
    def post(self, request: Request, uid: str, payer: str) -> Response:
        """A page, at `url`, on which a person has a card kept. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        url = open_card_page(
            actor=person(request),
            door=Door.API,
            payer=found,
            success_url=absolute("card_back", found.uid) + "?session={CHECKOUT_SESSION_ID}",
            cancel_url=absolute("wallet", found.uid),
            language="en",
        )
        return Response({"url": url}, status=status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="remove_card",
        responses={204: OpenApiResponse(description="No card is kept."), **REFUSED},
    )
    def delete(self, request: Request, uid: str, payer: str) -> Response:
        """Keep no card; nothing is charged by itself any more. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        remove_card(actor=person(request), door=Door.API, payer=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Automatic(ScopedView):
    """/accounts/UID/payers/PAYER/automatic/"""

    scopes: ClassVar = {"PUT": Scope.MONEY_WRITE}

    @extend_schema(
        operation_id="set_automatic", request=AutomaticWish, responses={200: CardShape, **REFUSED}
    )
    def put(self, request: Request, uid: str, payer: str) -> Response:
        """Have the kept card charged by itself, or never again. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        asked = AutomaticWish(data=request.data)
        asked.is_valid(raise_exception=True)
        cents = asked.validated_data["cents"]
        if cents and not asked.validated_data["agreed"]:
            sentence = "Say that the card's owner agrees: a card is not charged without."
            raise Refused("agreed", "not_agreed", sentence)
        set_automatic_top_up(actor=person(request), door=Door.API, payer=found, cents=cents)
        return Response(CardShape(_customer(found)).data)


class VatId(ScopedView):
    """/accounts/UID/payers/PAYER/vat-id/"""

    scopes: ClassVar = {
        "GET": Scope.MONEY_READ,
        "PUT": Scope.MONEY_WRITE,
        "DELETE": Scope.MONEY_WRITE,
    }

    @extend_schema(operation_id="show_vat_id", responses=VatIdShape)
    def get(self, request: Request, uid: str, payer: str) -> Response:
        """The VAT id that papers bear, and how it stands. Scope: money:read."""
        return Response(VatIdShape(_customer(payer_asked_for(request, uid, payer))).data)

    @extend_schema(
        operation_id="give_vat_id", request=NewVatId, responses={200: VatIdShape, **REFUSED}
    )
    def put(self, request: Request, uid: str, payer: str) -> Response:
        """Have papers bear this one from now on. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        asked = NewVatId(data=request.data)
        asked.is_valid(raise_exception=True)
        value = asked.validated_data["vat_id"]
        given = give_vat_id(actor=person(request), door=Door.API, payer=found, value=value)
        return Response(VatIdShape(given).data)

    @extend_schema(operation_id="remove_vat_id", responses={200: VatIdShape, **REFUSED})
    def delete(self, request: Request, uid: str, payer: str) -> Response:
        """Have papers bear none from now on. Scope: money:write."""
        found = payer_asked_for(request, uid, payer)
        left = remove_vat_id(actor=person(request), door=Door.API, payer=found)
        return Response(VatIdShape(left).data)


def _customer(payer: Payer) -> Customer:
    """Its row; an empty one, which is not kept, while nothing was asked of Stripe for it."""
    return Customer.objects.filter(payer=payer).first() or Customer(payer=payer)
