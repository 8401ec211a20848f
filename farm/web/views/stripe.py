"""Where Stripe's webhooks arrive: signed, kept, answered; what they mean is worked out later."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from farm.billing.gateway_errors import Forged
from farm.billing.opening import gateway
from farm.billing.stripe_events import hear

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """200 for what Stripe signed, however often it comes; 400 for all else, 404 without Stripe."""
    house = gateway()
    if house is None or not house.secret:
        return HttpResponse(status=404)
    signature = request.headers.get("Stripe-Signature", "")
    try:
        hear(gateway=house, raw=request.body, signature=signature, now=timezone.now())
    except Forged as forged:
        logger.warning("%s", forged)
        return HttpResponse(status=400)
    return HttpResponse(status=200)
