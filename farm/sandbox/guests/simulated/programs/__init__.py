"""The programs a simulated guest can run, by the name of their compiled file."""

from __future__ import annotations

from farm.sandbox.guests.simulated.process import Program
from farm.sandbox.guests.simulated.programs.daemon import DAEMONS
from farm.sandbox.guests.simulated.programs.files import FILES
from farm.sandbox.guests.simulated.programs.look import LOOK
from farm.sandbox.guests.simulated.programs.packages import PACKAGES
from farm.sandbox.guests.simulated.programs.patterns import PATTERNS
from farm.sandbox.guests.simulated.programs.people import PEOPLE
from farm.sandbox.guests.simulated.programs.pip import PIP
from farm.sandbox.guests.simulated.programs.process import PROCESS
from farm.sandbox.guests.simulated.programs.sealing import SEALING
from farm.sandbox.guests.simulated.programs.services import SERVICES
from farm.sandbox.guests.simulated.programs.system import SYSTEM
from farm.sandbox.guests.simulated.programs.text import TEXT

PROGRAMS: dict[str, Program] = {
    **DAEMONS,
    **FILES,
    **LOOK,
    **PACKAGES,
    **PATTERNS,
    **PEOPLE,
    **PIP,
    **PROCESS,
    **SEALING,
    **SERVICES,
    **SYSTEM,
    **TEXT,
}
