"""`python -m dashboards`: write every dashboard to the folder that Grafana reads."""

from __future__ import annotations

from pathlib import Path

from dashboards.shelf import write

if __name__ == "__main__":
    write(Path(__file__).parents[1] / "deploy/grafana/dashboards")
