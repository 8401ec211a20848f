"""Control routes of the simulated WhatsApp: which codes are shown, and what phones do."""

from __future__ import annotations

from aiohttp import web

from farm.sandbox.guests.simulated.whatsapp import Line, WhatsApp
from farm.sandbox.wire import answer, read_object, text_of


def whatsapp_routes(whatsapp: WhatsApp) -> list[web.RouteDef]:
    """Phones and their chats."""
    return [*_device_routes(whatsapp), *_chat_routes(whatsapp)]


def _device_routes(whatsapp: WhatsApp) -> list[web.RouteDef]:
    """GET /whatsapp/codes {machine, picture} and devices (the accounts that list one); POST scan
    {picture, account}, turn {machine} and throw-out {account}, under /whatsapp/."""

    async def codes(_: web.Request) -> web.Response:
        shown = [
            {"machine": login.machine, "picture": login.picture}
            for login in whatsapp.logins.values()
        ]
        return answer({"codes": shown})

    async def devices(_: web.Request) -> web.Response:
        return answer({"accounts": sorted(whatsapp.linked)})

    async def scan(request: web.Request) -> web.Response:
        fields = await read_object(request)
        good = whatsapp.scan(text_of(fields, "picture"), text_of(fields, "account"))
        return answer({"linked": good}, 200 if good else 409)

    async def turn(request: web.Request) -> web.Response:
        login = whatsapp.logins.get(text_of(await read_object(request), "machine"))
        if login is not None:
            login.turn()
        return answer({"turned": login is not None})

    async def throw_out(request: web.Request) -> web.Response:
        whatsapp.thrown_out.add(text_of(await read_object(request), "account"))
        return answer({})

    return [
        web.get("/whatsapp/codes", codes),
        web.get("/whatsapp/devices", devices),
        web.post("/whatsapp/scan", scan),
        web.post("/whatsapp/turn", turn),
        web.post("/whatsapp/throw-out", throw_out),
    ]


def _chat_routes(whatsapp: WhatsApp) -> list[web.RouteDef]:
    """POST /whatsapp/messages {from, to, text}; GET /whatsapp/messages: everything said."""

    async def write(request: web.Request) -> web.Response:
        fields = await read_object(request)
        line = Line(text_of(fields, "from"), text_of(fields, "to"), text_of(fields, "text"))
        whatsapp.write(line)
        return answer({}, 201)

    async def read(_: web.Request) -> web.Response:
        said = [{"from": x.sender, "to": x.receiver, "text": x.text} for x in whatsapp.said]
        return answer({"messages": said})

    return [web.post("/whatsapp/messages", write), web.get("/whatsapp/messages", read)]
