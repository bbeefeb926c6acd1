"""Everything that is broken to see whether the doctor finds it: in the emulator, a stand-in, or the app's folder."""

from tests.orchestrator.doctor.breakages.agents import AGENT_BREAKAGES
from tests.orchestrator.doctor.breakages.breaking import IDENTITY, OPERATES_ELSEWHERE, Breakage
from tests.orchestrator.doctor.breakages.factories import FACTORY_BREAKAGES
from tests.orchestrator.doctor.breakages.others import OTHER_BREAKAGES
from tests.orchestrator.doctor.breakages.storage import STORAGE_BREAKAGES

__all__ = ["BREAKAGES", "IDENTITY", "OPERATES_ELSEWHERE", "Breakage"]
BREAKAGES = (*STORAGE_BREAKAGES, *AGENT_BREAKAGES, *FACTORY_BREAKAGES, *OTHER_BREAKAGES)
