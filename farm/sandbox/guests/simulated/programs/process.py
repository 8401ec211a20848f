"""Programs about processes and names: sh, env, xargs, timeout, sleep, kill, date and others."""

from __future__ import annotations

import asyncio
import posixpath
import shlex
from dataclasses import replace
from datetime import UTC, datetime

from farm.sandbox.guests.simulated.accounts import credentials, find_user, user_name
from farm.sandbox.guests.simulated.process import Process, breathe
from farm.sandbox.guests.simulated.programs.arguments import UsageError, read
from farm.sandbox.guests.simulated.shell.builtins import BUILTINS
from farm.sandbox.guests.simulated.shell.interpret import Shell


async def sh(process: Process) -> int:
    """sh, dash and bash: -c script, a script's file, or a script on standard input."""
    words, options = list(process.arguments), set[str]()
    while words and words[0][:1] in {"-", "+"} and words[0] not in {"-", "--"}:
        flag = words.pop(0)
        options |= set(flag.lstrip("-")) if not flag.startswith("--") else set()
        if flag.endswith("o") and words:
            options |= {words.pop(0)}
    name = posixpath.basename(process.argv[0])
    if "c" in options:
        script, positional = words[0], words[2:]
        name = words[1] if len(words) > 1 else name
    elif words and "s" not in options:
        name, positional = words[0], words[1:]
        script = process.files.text(name)
    else:
        script, positional = (await process.stdin.read()).decode(errors="surrogateescape"), words
    shell = Shell(process, name, positional, BUILTINS)
    shell.options = options - {"c", "s", "l", "i"}
    return await shell.main(script)


async def env(process: Process) -> int:
    """env [-i] [-u name] [-C folder] [NAME=value] [program arguments]."""
    words, variables, cwd = list(process.arguments), dict(process.env), process.cwd
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag in {"-i", "-"}:
            variables = {}
        elif flag in {"-C", "--chdir"}:
            cwd = posixpath.normpath(posixpath.join(cwd, words.pop(0)))
        elif flag == "-u":
            variables.pop(words.pop(0), None)
        elif flag.startswith("-S"):
            words = shlex.split(flag[2:]) + words
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    if words:
        return await process.machine.run(replace(process, argv=words, env=variables, cwd=cwd))
    for name, value in variables.items():
        process.say(f"{name}={value}")
    return 0


async def printenv(process: Process) -> int:
    """printenv names."""
    missing = [name for name in process.arguments if name not in process.env]
    for name in process.arguments or process.env:
        if name in process.env:
            process.say(process.env[name] if process.arguments else f"{name}={process.env[name]}")
    return int(bool(missing))


async def true(process: Process) -> int:
    """true."""
    return 0 if posixpath.basename(process.argv[0]) != "false" else 1


async def sleep(process: Process) -> int:
    """sleep seconds, on the sandbox's clock."""
    spans = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    for word in process.arguments:
        number = word.rstrip("smhd")
        await process.machine.sleep(float(number) * spans.get(word[-1], 1))
    return 0


async def xargs(process: Process) -> int:
    """xargs [-r] [-n count] [-I mark] program."""
    given = read(
        process.arguments, "r0t", "nIPd", {"no-run-if-empty": "r", "null": "0"}, stop_early=True
    )
    text = (await process.stdin.read()).decode(errors="replace")
    words = text.split("\0")[:-1] if given.has("0") else text.split()
    command = given.operands or ["echo"]
    if mark := given.value("I"):
        runs = [[part.replace(mark, line) for part in command] for line in text.splitlines()]
    else:
        size = int(given.value("n", str(max(len(words), 1))))
        runs = [command + words[at : at + size] for at in range(0, max(len(words), 1), size)]
        runs = [] if given.has("r") and not words else runs
    codes = [await process.run(argv) for argv in runs]
    return 123 if any(codes) else 0


async def timeout(process: Process) -> int:
    """timeout seconds program: 124 if it took longer."""
    given = read(
        process.arguments,
        "",
        "ks",
        {"signal=": "s", "kill-after=": "k", "foreground": "f"},
        stop_early=True,
    )
    span, *command = given.operands
    running = asyncio.ensure_future(process.run(command))
    waiting = asyncio.ensure_future(process.machine.sleep(float(span.rstrip("s"))))
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return running.result() if running.done() else 124
    finally:
        running.cancel()
        waiting.cancel()


async def passing(process: Process) -> int:
    """nohup, setsid, nice, ionice, stdbuf, exec in another guise: run the rest as it is."""
    words = list(process.arguments)
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag in {"-n", "-c"} and words:
            words.pop(0)
    return await process.run(words) if words else 0


async def su(process: Process) -> int:
    """su, runuser and sudo: run as another user, as root may."""
    words, name, script = list(process.arguments), "root", None
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag == "--":
            break
        if flag in {"-u", "--user"}:
            name = words.pop(0)
        elif flag in {"-c", "--command"}:
            script = words.pop(0)
        elif flag in {"-s", "--shell", "-g"}:
            words.pop(0)
    program = posixpath.basename(process.argv[0])
    if words and (program == "su" or script is not None):
        name = words.pop(0)
        if words[:1] == ["-c"]:
            script, words = words[1], words[2:]
    return await _as_user(process, name, ["sh", "-c", script] if script is not None else words)


async def _as_user(process: Process, name: str, argv: list[str]) -> int:
    user = find_user(process.files, name.removeprefix("#"))
    if user is None:
        return process.fail(f"user {name} does not exist")
    if process.who.uid not in {0, user.uid}:
        return process.fail("Authentication failure")
    env = {**process.env, "HOME": user.home, "USER": user.name, "LOGNAME": user.name}
    while argv and "=" in argv[0]:
        key, _, value = argv.pop(0).partition("=")
        env[key] = value
    who = credentials(process.machine.files, user)
    return await process.machine.run(replace(process, argv=argv or ["sh"], env=env, who=who))


async def kill(process: Process) -> int:
    """kill [-HUP|-TERM|-9|-0] pids."""
    signal = "TERM"
    for word in process.arguments:
        if word.startswith("-"):
            signal = word.lstrip("-").removeprefix("SIG").upper().removeprefix("S ")
            continue
        running = process.machine.processes.get(int(word)) if word.isdigit() else None
        if running is None:
            return process.fail(f"({word}) - No such process")
        if process.who.uid not in {0, running.uid}:
            return process.fail(f"({word}) - Operation not permitted")
        if signal in {"HUP", "1"} and running.hang_up is not None:
            running.hang_up()
        elif signal != "0":
            running.task.cancel()
    await breathe()
    return 0


async def ps(process: Process) -> int:
    """ps: the process table."""
    process.say("    PID USER     COMMAND")
    for pid, running in process.machine.processes.items():
        process.say(f"{pid:7d} {user_name(process.files, running.uid):8s} {' '.join(running.argv)}")
    return 0


async def pgrep(process: Process) -> int:
    """pgrep and pkill: processes whose command line holds a word."""
    given = read(process.arguments, "flxa", "uU")
    kills = posixpath.basename(process.argv[0]) == "pkill"
    found = [
        (pid, running)
        for pid, running in process.machine.processes.items()
        if (not given.operands or given.operands[0] in " ".join(running.argv))
        and (not given.value("u") or user_name(process.files, running.uid) == given.value("u"))
    ]
    for pid, running in found:
        if kills:
            running.task.cancel()
        else:
            process.say(str(pid))
    return int(not found)


async def date(process: Process) -> int:
    """date [-u] [+format], in UTC."""
    formats = [word[1:] for word in process.arguments if word.startswith("+")]
    at = datetime.fromtimestamp(process.machine.seconds(), UTC)
    form = (formats or ["%a %b %e %H:%M:%S UTC %Y"])[0]
    process.say(
        at.strftime(
            form.replace("%F", "%Y-%m-%d")
            .replace("%T", "%H:%M:%S")
            .replace("%s", str(int(at.timestamp())))
            .replace("%N", "000000000")
        )
    )
    return 0


async def basename(process: Process) -> int:
    """basename path [suffix]."""
    given = read(process.arguments, "a", "s")
    path, *suffix = given.operands
    name = posixpath.basename(path.rstrip("/")) or "/"
    process.say(name.removesuffix(suffix[0]) if suffix else name)
    return 0


async def dirname(process: Process) -> int:
    """dirname paths."""
    for path in process.arguments:
        process.say(posixpath.dirname(path.rstrip("/")) or ("/" if path.startswith("/") else "."))
    return 0


async def pwd(process: Process) -> int:
    """pwd."""
    process.say(process.cwd)
    return 0


async def seq(process: Process) -> int:
    """seq [first [step]] last."""
    numbers = [int(word) for word in process.arguments]
    if not 1 <= len(numbers) <= 3:
        raise UsageError("missing operand")
    first, step = (numbers[0] if len(numbers) > 1 else 1), (numbers[1] if len(numbers) == 3 else 1)
    for number in range(first, numbers[-1] + (1 if step > 0 else -1), step):
        process.say(str(number))
    return 0


async def which(process: Process) -> int:
    """which names."""
    code = 0
    for name in read(process.arguments, "a").operands:
        path = process.machine.find_program(process, name)
        if path is None:
            code = 1
        else:
            process.say(path)
    return code


async def flock(process: Process) -> int:
    """flock [options] file program: nobody else can hold a lock between two commands here."""
    given = read(
        process.arguments, "nxeosu", "wE", {"nonblock": "n", "timeout=": "w"}, stop_early=True
    )
    path, *command = given.operands
    process.files.touch(path)
    return await process.run(["sh", *command] if command[:1] == ["-c"] else command)


PROCESS = {
    "basename": basename,
    "bash": sh,
    "dash": sh,
    "date": date,
    "dirname": dirname,
    "env": env,
    "false": true,
    "flock": flock,
    "ionice": passing,
    "kill": kill,
    "nice": passing,
    "nohup": passing,
    "pgrep": pgrep,
    "pkill": pgrep,
    "printenv": printenv,
    "ps": ps,
    "pwd": pwd,
    "runuser": su,
    "seq": seq,
    "setsid": passing,
    "sh": sh,
    "sleep": sleep,
    "stdbuf": passing,
    "su": su,
    "sudo": su,
    "timeout": timeout,
    "true": true,
    "which": which,
    "xargs": xargs,
}
