"""`python -m toggl_pulse` is the command line."""

from toggl_pulse.cli import main

main()
