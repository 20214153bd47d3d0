"""A simulated Toggl: the rules of its API, a freelancer's seeded year, and the truth that answers must equal."""

from .behaviour import Behaviour
from .faults import Fault
from .folder import fresh_folder
from .generate import large_world
from .host import Host, Loopback
from .simulator import create_simulator
from .truth import truth
from .world import DEMO_TOKEN, Clock, World

__all__ = [
    "DEMO_TOKEN",
    "Behaviour",
    "Clock",
    "Fault",
    "Host",
    "Loopback",
    "World",
    "create_simulator",
    "fresh_folder",
    "large_world",
    "truth",
]
