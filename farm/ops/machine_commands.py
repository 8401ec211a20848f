"""`farm agents ssh|logs|restart`: what the operator does when an agent needs a hand."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from farm.accounts.models import Door
from farm.agents.models import AgentPhase
from farm.agents.services import restart_agent
from farm.agents.services.machines import Login, log_of, login_to
from farm.ops.agent_views import whole_agent
from farm.ops.answer import AsJson, print_json
from farm.ops.finding import agent_anywhere
from farm.ops.people import ActingAs, operating
from farm.ops.refusing import serving
from farm.ops.waiting import wait_for_phase

Which = Annotated[str, typer.Argument(metavar="AGENT", help="Its name or its uid.")]


def ssh(
    which: Which,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="Run this instead.")
    ] = None,
    *,
    email: ActingAs = "",
) -> None:
    """Log in to an agent's machine as root; its member reads that you did."""
    with serving(as_json=False):
        actor = operating(email)
        login = login_to(actor=actor, door=Door.CLI, agent=agent_anywhere(which, actor))
        raise typer.Exit(_run_ssh(login, command or []))


def logs(
    which: Which,
    *,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, max=5000)] = 100,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Show the last lines of an agent's program; its member reads that you did."""
    with serving(as_json=as_json):
        actor = operating(email)
        agent = agent_anywhere(which, actor)
        said = log_of(actor=actor, door=Door.CLI, agent=agent, lines=lines)
        if as_json:
            print_json({"agent": agent.uid, "log": said.splitlines()})
        else:
            typer.echo(said.rstrip("\n"))


def restart(
    which: Which,
    *,
    email: ActingAs = "",
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Answer at once.")] = False,
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait.")] = 600,
    as_json: AsJson = False,
) -> None:
    """Restart an agent's program on its machine, and wait until it is well again."""
    with serving(as_json=as_json):
        actor = operating(email)
        agent = agent_anywhere(which, actor)
        restart_agent(actor=actor, door=Door.CLI, agent=agent)
        if not no_wait:
            agent.refresh_from_db()
            wait_for_phase(agent, AgentPhase.RUNNING, seconds=timeout, quiet=as_json)
        agent.refresh_from_db()
        if as_json:
            print_json(whole_agent(agent, actor))
        else:
            typer.echo(f"{agent.name}: {agent.get_phase_display()}.")


def _run_ssh(login: Login, command: list[str]) -> int:
    """Debian's own client with the pinned host key; the key is gone when it ends."""
    with tempfile.TemporaryDirectory(prefix="farm-ssh-") as folder:
        key, known = Path(folder, "key"), Path(folder, "known_hosts")
        key.touch(mode=0o600)
        key.write_text(login.private_key)
        Path(folder, "key-cert.pub").write_text(f"{login.certificate}\n")
        known.write_text("".join(f"* {host_key}\n" for host_key in login.host_keys))
        options = {
            "UserKnownHostsFile": str(known),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "PasswordAuthentication": "no",
            "LogLevel": "ERROR",
        }
        given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        place = ["-p", str(login.port), f"root@{login.host}"]
        argv = ["ssh", "-F", "/dev/null", "-i", str(key), *given, *place, *command]
        return subprocess.run(argv, check=False).returncode
