"""The runtime's WhatsApp channel: a code to scan, and answers for whom it may once linked."""

from __future__ import annotations

import asyncio
import json
import posixpath

from farm.sandbox.guests.simulated.openclaw.agent import Agent
from farm.sandbox.guests.simulated.openclaw.config import Config
from farm.sandbox.guests.simulated.openclaw.model import ModelError
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.whatsapp import Line, Login, WhatsApp
from farm.sandbox.wire import Json

LOOK = 0.2
"""Seconds between two looks whether the phone still has it among its devices."""


class WhatsAppChannel:
    """One account, or none yet."""

    problem = ""

    def __init__(self, process: Process, config: Config, agent: Agent, state: str) -> None:
        self._process, self._config, self._agent = process, config, agent
        self._creds = posixpath.join(state, "credentials/whatsapp/default/creds.json")
        self._login: Login | None = None
        self._turning: asyncio.Task[None] | None = None
        self._logged_out = False

    @property
    def account(self) -> str:
        """The number of the linked account, "" if there is none."""
        node = self._process.files.find(self._creds)
        return str(json.loads(node.content)["me"]) if node is not None else ""

    async def run(self) -> None:
        """Answer what is written to the linked account, until its phone throws the device out."""
        while account := self.account:
            self._logged_out = False
            inbox = self._world.inbox(account)
            try:
                line = await asyncio.wait_for(inbox.get(), LOOK)
            except TimeoutError:
                if account in self._world.thrown_out:
                    self._forget(account)
                continue
            await self._take(line)

    def status(self) -> dict[str, Json]:
        """As `channels.status` shows it."""
        account = self.account
        out: Json = {"status": 401, "loggedOut": True} if self._logged_out else None
        return {
            "configured": True,
            "statusState": "linked" if account else "not-linked",
            "linked": bool(account),
            "self": {"e164": account or None, "jid": None, "lid": None},
            "running": bool(account),
            "connected": bool(account),
            "lastDisconnect": out,
        }

    async def start_login(self, *, force: bool) -> dict[str, Json]:
        """web.login.start: the code that is shown now, or a first one."""
        if self.account and not force:
            return {"message": f"WhatsApp is already linked ({self.account})."}
        if self.account:
            self.log_out()
        if self._login is None:
            self._login = self._world.begin(self._process.machine.identity.ipv4)
            self._turning = asyncio.get_running_loop().create_task(self._turn(self._login))
        return {"qrDataUrl": self._login.picture, "message": "Scan this QR in WhatsApp."}

    async def wait_for_login(self, shown: str, seconds: float) -> dict[str, Json]:
        """web.login.wait: linked, another code, or neither within the time."""
        login = self._login
        if login is None:
            return {"connected": False, "message": "No active WhatsApp login in progress."}
        if not login.account and login.picture == shown:
            try:
                await asyncio.wait_for(login.changed.wait(), seconds)
            except TimeoutError:
                return {"connected": False, "message": "Still waiting for the QR scan."}
        if login.account:
            self._keep(login.account)
            return {"connected": True, "message": "Linked! WhatsApp is ready."}
        return {"connected": False, "message": "QR refreshed.", "qrDataUrl": login.picture}

    def log_out(self) -> dict[str, Json]:
        """channels.logout."""
        had = self.account
        if had:
            self._process.files.remove(self._creds)
            self._world.linked.discard(had)
        return {"channel": "whatsapp", "cleared": bool(had), "loggedOut": bool(had)}

    def close(self) -> None:
        """Show no code any more."""
        if self._turning is not None:
            self._turning.cancel()
        self._world.end(self._process.machine.identity.ipv4)
        self._login, self._turning = None, None

    @property
    def _world(self) -> WhatsApp:
        return self._process.machine.around.outside.whatsapp

    async def _turn(self, login: Login) -> None:
        while not login.account:
            await self._process.machine.sleep(self._process.machine.around.timings.code)
            if not login.account:
                login.turn()

    def _keep(self, account: str) -> None:
        self.close()
        self._world.thrown_out.discard(account)
        self._world.linked.add(account)
        self._process.files.make_dir(posixpath.dirname(self._creds), 0o700, parents=True)
        content = json.dumps({"me": account}).encode()
        self._process.files.write(self._creds, content, mode=0o600)

    def _forget(self, account: str) -> None:
        self._world.thrown_out.discard(account)
        self.log_out()
        self._logged_out = True

    async def _take(self, line: Line) -> None:
        if line.sender not in self._config.words("channels.whatsapp.allowFrom"):
            return
        try:
            answer = await self._agent.turn(f"whatsapp:{line.sender}", line.text)
        except ModelError as error:
            answer = f"The model did not answer: {error}"
        self._world.said.append(Line(line.receiver, line.sender, answer))
