"""The command line: one module a verb; this one joins them and turns errors into exit codes."""

from toggl_pulse.cli.main import app, main

__all__ = ["app", "main"]
