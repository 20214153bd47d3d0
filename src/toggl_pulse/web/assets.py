"""Files of the page as they go out: styles, scripts and the chart library, packed once, kept for ever by browsers.

Each address has a digest or a version in it, so that a new release is never shown with an old style.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from toggl_pulse.errors import BadRequest

__all__ = ["CHART_LIBRARY", "Asset", "assets", "chart_library", "chart_styles", "chart_version", "serve", "version"]

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_SMALL = 600

_STYLE_ID = re.compile(rb'\.getElementById\("([0-9a-f]{32,})"\)')

CHART_LIBRARY = "plotly.js"


@dataclass(frozen=True, slots=True)
class Asset:
    kind: str
    plain: bytes
    packed: bytes | None

    @classmethod
    def of(cls, name: str, plain: bytes) -> Asset:
        packed = gzip.compress(plain, 9, mtime=0) if len(plain) > _SMALL else None
        return cls(_KINDS[Path(name).suffix], plain, packed)


@cache
def assets() -> dict[str, Asset]:
    """Every file of ours by its name."""
    folder = files("toggl_pulse.web") / "static"
    found = sorted(folder.iterdir(), key=lambda each: each.name)
    return {each.name: Asset.of(each.name, each.read_bytes()) for each in found if Path(each.name).suffix in _KINDS}


@cache
def version() -> str:
    """A digest of all of them: they are loaded together and change together."""
    whole = hashlib.sha256()
    for name, asset in assets().items():
        whole.update(name.encode() + b"\0" + asset.plain + b"\0")
    return whole.hexdigest()[:12]


@cache
def _library() -> bytes:
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package plotly is not installed")
    return (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes()


@cache
def chart_library() -> Asset:
    """Plotly's JavaScript out of its Python package, of which nothing else is used or imported."""
    return Asset.of(CHART_LIBRARY, _library())


@cache
def chart_styles() -> tuple[str, ...]:
    """Ids of the style elements that the library adds as it loads (a map's), unless it finds them there already.

    Charts need none of them, and the page's policy allows none.
    """
    return tuple(found.decode() for found in dict.fromkeys(_STYLE_ID.findall(_library())))


@cache
def chart_version() -> str:
    return f"plotly-{importlib.metadata.version('plotly')}"


def serve(request: Request) -> Response:
    """One file of the page; kept by browsers for ever."""
    folder, name = request.path_params["folder"], request.path_params["name"]
    if (folder, name) == (chart_version(), CHART_LIBRARY):
        asset = chart_library()
    elif folder == version() and name in assets():
        asset = assets()[name]
    else:
        raise BadRequest("There is no such file; load the page again.", code="not_found", status=404)
    packed = asset.packed if "gzip" in request.headers.get("accept-encoding", "") else None
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(asset.plain if packed is None else packed, headers=headers, media_type=asset.kind)
