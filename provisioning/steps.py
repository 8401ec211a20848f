"""What is to be done for servers and agents, and all that is looked at to decide it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from provisioning.phases import AgentPhase, ServerPhase


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a wait may last, and how often a start may fail, before something else is done."""

    creating: timedelta = timedelta(minutes=15)
    booting: timedelta = timedelta(minutes=6)
    restoring: timedelta = timedelta(minutes=30)
    configuring: timedelta = timedelta(minutes=10)
    capacity: timedelta = timedelta(minutes=5)
    settling: timedelta = timedelta(seconds=30)
    """How long after a create with no answer a machine may still come to light."""
    halting: timedelta = timedelta(seconds=90)
    """How long a machine may take to halt by itself before its plug is pulled."""
    stopping: timedelta = timedelta(minutes=7)
    """How long a program is asked to end before its machine is halted with it."""
    waking: timedelta = timedelta(minutes=10)
    """How long a machine that was off may take until it answers."""
    machines: int = 3


class Power(StrEnum):
    """What a machine is wanted to be; asleep is as cheap as its cloud allows, its disk kept."""

    ON = "on"
    OFF = "off"
    ASLEEP = "asleep"


class ServerStep(StrEnum):
    """One idempotent thing to do for a server."""

    REST = "rest"
    ORDER = "order"
    SEEK_AND_ORDER = "seek and order"
    DROP = "drop"
    LOOK = "look"
    LOOK_AGAIN = "look again"
    SEEK_AND_REMOVE = "seek and remove"
    POLL = "poll"
    KNOCK = "knock"
    SWITCH_OFF = "switch off"
    HALT = "halt"
    LOOK_OFF = "look whether it is off"
    RESIZE = "resize"
    SWITCH_ON = "switch on"
    RISE = "rise"
    REMOVE = "remove"
    CONFIRM_GONE = "confirm gone"
    GIVE_UP_CREATING = "give up creating"
    GIVE_UP_BOOTING = "give up booting"


@dataclass(frozen=True, slots=True)
class ServerSnapshot:
    """All that decides what is next for a server.

    `create_sent` says that a create may have reached the cloud; `distrusted` that the machine
    showed another host key than ours; `to_resize` that it is to become another type while it is
    off; `missed` that its cloud's list did not show it while it came.
    """

    phase: ServerPhase
    phase_since: datetime
    wanted_gone: bool
    create_sent: bool
    distrusted: bool
    power: Power = Power.ON
    to_resize: bool = False
    missed: bool = False


class AgentStep(StrEnum):
    """One idempotent thing to do for an agent."""

    REST = "rest"
    WAIT = "wait"
    PLACE = "place"
    BEGIN_RESTORE = "begin restore"
    RESTORE = "restore"
    GIVE_UP_RESTORE = "give up restore"
    CONFIGURE = "configure"
    WRITE = "write"
    START = "start"
    GATE = "gate"
    GREET = "greet"
    START_OVER = "start over"
    BEGIN_STOP = "begin stop"
    STILL = "still"
    SLEEP = "sleep"
    SETTLE = "settle"
    BEGIN_WAKE = "begin wake"
    RISE = "rise"
    PLACE_COPY = "place copy"
    PLACE_BACKUP = "place backup"
    LIE_DOWN = "lie down"
    HOLD = "hold"
    LEAVE = "leave"
    FINISH = "finish"
    FAIL_DISTRUSTED = "fail: distrusted"
    FAIL_LOST = "fail: lost"
    FAIL_COPY_LOST = "fail: copy lost"
    FAIL_MACHINES = "fail: machines"
    FAIL_LATE = "fail: late"


class SetUp(StrEnum):
    """How far the set-up of an agent on its machine has come."""

    NOTHING = ""
    WRITTEN = "written"
    STARTED = "started"
    READY = "ready"
    STILL = "still"


class Saving(StrEnum):
    """How the backup stands that is made before something is lost."""

    NOTHING = ""
    UNDER_WAY = "under way"
    KEPT = "kept"
    FAILED = "failed"


class Kept(StrEnum):
    """What is kept of the disk of a sleeping agent's machine."""

    NOTHING = ""
    COMING = "coming"
    READY = "ready"


class Machine(StrEnum):
    """What an agent needs to know of the machine that counts for it."""

    NONE = "none"
    COMING = "coming"
    READY = "ready"
    HALTING = "halting"
    OFF = "off"
    RISING = "rising"
    LEAVING = "leaving"
    LOST = "lost"
    DISTRUSTED = "distrusted"


@dataclass(frozen=True, slots=True)
class AgentSnapshot:
    """All that decides what is next for an agent.

    `machines_failed` counts those that did not come up since the wish began; `machines_left` those
    that the cloud may still have; `fulfilled` says that the last wish was dealt with; `to_restore`
    that its machine is to have what a backup holds; `copies_left` counts copies of disks that the
    cloud may still have, and `kept` is how the one stands that it would wake from.
    """

    phase: AgentPhase
    phase_since: datetime
    wanted_deleted: bool
    fulfilled: bool
    has_run: bool
    talking: bool
    set_up: SetUp
    machine: Machine
    machines_failed: int
    machines_left: int
    to_restore: bool = False
    saving: Saving = Saving.NOTHING
    wanted_stopped: bool = False
    copies_left: int = 0
    kept: Kept = Kept.NOTHING
