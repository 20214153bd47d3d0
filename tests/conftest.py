"""What every test shares: a session that ends by looking for the simulated account's token in all it has written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from toggl_pulse.demo import DEMO_TOKEN

# a busy machine is no fault of the code: no test of ours passes or fails by the clock
settings.register_profile("pulse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pulse")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run when any file that a test wrote holds the token."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    base = getattr(factory, "_basetemp", None)
    if base is None:
        return
    leaks = [path for path in files_below(Path(base)) if DEMO_TOKEN.encode() in path.read_bytes()]
    if leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for path in leaks:
                reporter.write_line(f"the Toggl token was written to {path}", red=True)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
