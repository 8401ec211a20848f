"""A gateway that is started before it has an owner: with a config of nobody's, and no secret."""

from __future__ import annotations

import hashlib
import hmac

from provisioning import runtime
from provisioning.errors import Transient
from provisioning.runtime_files import (
    CONFIG,
    KEYS,
    PORT,
    STATE,
    USER,
    Edge,
    ModelAccess,
    RuntimeSettings,
    Tools,
    owned_files,
    primary_model,
)
from provisioning.ssh import Shell

NOBODY = "nobody"
"""Under that word the runtime keeps what is said before there is an agent."""
NOBODYS_MODEL = ModelAccess(NOBODY, NOBODY, NOBODY, "http://127.0.0.1:18790/v1")
"""On the machine itself, and only while `turn` is under way."""
TURN_SECONDS = 90
RELOADED = frozenset({CONFIG, KEYS})
"""What a running gateway reads anew by itself; anything else it must be started again for."""

# It says one word to whatever it is asked, as a stream: that is how the runtime asks.
_MODEL = """
import http.server, json
class Model(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta, end in ({"role": "assistant", "content": "Yes."}, None), ({}, "stop"):
            choice = {"index": 0, "delta": delta, "finish_reason": end}
            said = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "nobody"}
            self.wfile.write(f"data: {json.dumps({**said, 'choices': [choice]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 18790), Model).serve_forever()
"""
_WORDS = """{"model": "openclaw/default", "user": "nobody",
"messages": [{"role": "user", "content": "Say yes."}]}"""
_TURN = f"""set -eu
read -r token
command -v python3 > /dev/null
timeout {TURN_SECONDS} python3 -I -c "$1" & model=$!
trap 'kill "$model" 2> /dev/null || true' EXIT
printf 'Authorization: Bearer %s\n' "$token" | curl -fsSk --max-time {TURN_SECONDS} -o /dev/null \
  -H @- -H 'Content-Type: application/json' -d "$2" "$3"
"""
_HUSH = """for log in /tmp/systemd-private-*-openclaw.service-*/tmp/openclaw/*.log; do
  if test -f "$log"; then : > "$log"; fi
done
journalctl --rotate --vacuum-time=1s > /dev/null 2>&1 || true
"""


def settings_of_nobody(
    *, gateway_token: str, heap_mb: int, runtime_version: str, edge: Edge | None
) -> RuntimeSettings:
    """What a gateway runs with until somebody claims it; the token is of this machine alone."""
    return RuntimeSettings(
        agent_name=NOBODY,
        agent_id=NOBODY,
        member=NOBODY,
        language="en",
        soul="",
        tools=Tools.FULL,
        model=NOBODYS_MODEL,
        gateway_token=gateway_token,
        control_ui_origin="http://nobody.invalid",
        heap_mb=heap_mb,
        runtime_version=runtime_version,
        edge=edge,
    )


def started_with(settings: RuntimeSettings) -> str:
    """Changes with whatever a running gateway cannot take without another start."""
    seal = hmac.new(settings.gateway_token.encode(), settings.runtime_version.encode(), "sha256")
    for file in owned_files(settings):
        if file.path not in RELOADED:
            seal.update(hashlib.sha256(file.path.encode()).digest())
            seal.update(hashlib.sha256(file.content).digest())
    linked = (settings.telegram, settings.slack, settings.whatsapp)
    seal.update(bytes(app is not None for app in linked))
    return seal.hexdigest()


def begin(shell: Shell, settings: RuntimeSettings) -> None:
    """Have the gateway run with that: no persona is written, which is its owner's once it is there.

    Rejected if the runtime refuses the config. Look with `runtime.readiness`.
    """
    shell.write(owned_files(settings))
    runtime.fence(shell)
    runtime.validate(shell)
    runtime.restart(shell)


def turn(shell: Shell, settings: RuntimeSettings) -> bool:
    """One turn with a model that lives on the machine for that long; whether it was answered.

    A machine that cannot do so is none the worse: its first turn is slower. Call `wash` after it.
    """
    scheme = "https" if settings.edge else "http"
    command = ("runuser", "-u", USER, "--", "sh", "-c", _TURN, "turn", _MODEL, _WORDS)
    url = f"{scheme}://127.0.0.1:{PORT}/v1/chat/completions"
    token = f"{settings.gateway_token}\n".encode()
    return shell.run((*command, url), stdin=token, timeout=TURN_SECONDS + 10).exit_code == 0


def wash(shell: Shell) -> None:
    """Leave nothing of what was said and logged while it had no owner, and nobody has it yet."""
    forget(shell)
    shell.run(("sh", "-c", _HUSH), timeout=60.0)


def forget(shell: Shell) -> None:
    """Leave nothing of what nobody said."""
    left = f"{STATE}/agents/{NOBODY}"
    result = shell.run(("runuser", "-u", USER, "--", "rm", "-rf", left))
    if result.exit_code != 0:
        raise Transient("not_washed", "What the warming left on the machine is still there.")


def is_taken_up(shell: Shell, settings: RuntimeSettings) -> bool:
    """Whether the running gateway goes by these settings by now; see `started_with`."""
    listed = runtime.rpc(shell, settings.gateway_token, "agents.list", {}).get("agents")
    match listed:
        case [{"id": str(agent_id), "model": {"primary": str(primary)}}, *_]:
            return (agent_id, primary) == (settings.agent_id, primary_model(settings.model))
    return False
