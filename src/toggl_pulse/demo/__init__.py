"""A simulated Toggl: the rules of its API, a freelancer's seeded year, and the truth that answers must equal."""

from .behaviour import Behaviour
from .faults import Fault
from .simulator import create_simulator
from .world import DEMO_TOKEN, Clock, World

__all__ = ["DEMO_TOKEN", "Behaviour", "Clock", "Fault", "World", "create_simulator"]
