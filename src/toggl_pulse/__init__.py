"""An exact, living mirror of a Toggl Track account on your own machine, and answers from it."""

__version__ = "0.1.0"

__all__ = ["__version__"]
