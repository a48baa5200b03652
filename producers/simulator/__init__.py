"""A seeded city that scans: made-up residents of Taiyuan, and planted meetings whose truth is known.

The core is plain functions of a seed and a start: `City.build(CityConfig(...))`, `plan_case`, `Scenario(city, start_ms,
end_ms, cases)`; `Scenario.statuses()` and `Scenario.batches()` give ready-to-send bytes in order. `pace` holds them to
a speed or a rate; `Simulation` sends them to a `Target` (Kafka or a folder) and tells what happens as events.
"""

from producers.simulator.cases import Case, Meeting, plan_case
from producers.simulator.city import City
from producers.simulator.config import CityConfig
from producers.simulator.events import Batch, Note
from producers.simulator.pace import Clock, Pacing, pace
from producers.simulator.run import Simulation, Totals
from producers.simulator.scenario import Scenario
from producers.simulator.schedule import Span, cases_forever, cases_within
from producers.simulator.targets import DirectoryTarget, KafkaTarget, Target

__all__ = [
    "Batch",
    "Case",
    "City",
    "CityConfig",
    "Clock",
    "DirectoryTarget",
    "KafkaTarget",
    "Meeting",
    "Note",
    "Pacing",
    "Scenario",
    "Simulation",
    "Span",
    "Target",
    "Totals",
    "cases_forever",
    "cases_within",
    "pace",
    "plan_case",
]
