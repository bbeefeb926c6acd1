"""When triggers are due: recurrences and tumbling windows read from definitions, their time zones, and their words."""

from tools_worker.datafactory.schedules.recurrence import Due, Recurrence
from tools_worker.datafactory.schedules.tumbling import Dependency, Tumbling
from tools_worker.datafactory.schedules.zones import Zone, zone_of

__all__ = ["Dependency", "Due", "Recurrence", "Tumbling", "Zone", "zone_of"]
