"""Asks a vulnerability service about every locked dependency: `make audit`.

Exit codes: 0 none is known to be vulnerable, 1 one is, 2 the audit itself failed, 3 no service could be reached, so
that nothing is known either way.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt")
CLEAN, VULNERABLE, FAILED, UNREACHABLE = range(4)

# what pip-audit's traceback or message ends with when the network, and not the audit, is at fault
_NETWORK = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError", "ServiceError", "HTTPError")


def audit(lock: Path, *more: str) -> tuple[int, str]:
    """The exit code, and what to say; `more` goes to pip-audit, as `-s osv --osv-url URL`."""
    # the lock says everything: no resolving, no downloads
    options = ["--requirement", str(lock), "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options, "--progress-spinner", "off", "--desc", "off", *more],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if any(word in last for word in _NETWORK):
            return UNREACHABLE, f"{lock.name}: no vulnerability service could be reached, so nothing is known."
        return FAILED, f"{lock.name}: pip-audit failed: {last}"
    bad = [f"{each['name']} {each['version']}: {flaw['id']}" for each in found for flaw in each.get("vulns", ())]
    if bad:
        return VULNERABLE, "\n".join(f"{lock.name}: {line}" for line in bad)
    return CLEAN, f"{lock.name}: {len(found)} packages, none known to be vulnerable."


def main() -> None:
    worst = CLEAN
    for lock in LOCKS:
        code, said = audit(ROOT / lock, *sys.argv[1:])
        sys.stdout.write(f"{said}\n")
        worst = code if worst == CLEAN or code == VULNERABLE else worst
    sys.exit(worst)


if __name__ == "__main__":
    main()
