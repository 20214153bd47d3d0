"""The command line: one module a verb; `main` joins them and turns errors into exit codes."""

from toggl_pulse.cli.main import VERBS, app, main

__all__ = ["VERBS", "app", "main"]
