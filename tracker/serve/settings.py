"""Settings of the server: address, limits, options of the tracker, and how pictures go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tracker.drawing.anonymise import Mode
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.errors import MisuseError
from tracker.tracking.opening import TrackerOptions

LEAST_TOKEN = 16
"""Characters of the shortest token."""


@dataclass(frozen=True)
class Limits:
    """Limits that keep one client from taking what all share.

    ``connections`` counts open sockets, streams and pictures being treated together. ``picture_bytes`` is the
    largest picture of ``POST /api/faces``, ``bodies_bytes`` that of all that are being received and treated
    together, and ``message_bytes`` the largest message of a socket. ``picture_pixels`` is the largest width
    times height, found before anything is decoded, and ``message_pixels`` that of pictures over sockets,
    which all wait for each other. A body must have arrived within ``body_s`` seconds. A client that takes
    nothing for ``stalled_s`` seconds is disconnected, and so is one that has sent no complete request for so
    long.

    Raises :class:`~tracker.errors.MisuseError` for values that are not positive, and if the largest picture
    would never be taken.
    """

    connections: int = 64
    picture_bytes: int = 32 << 20
    bodies_bytes: int = 256 << 20
    message_bytes: int = 8 << 20
    picture_pixels: int = 50_000_000
    message_pixels: int = 9_000_000  # 4K
    body_s: float = 30.0
    stalled_s: float = 20.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise MisuseError(f"{name} must be positive, got {value!r}")
        if self.picture_bytes > self.bodies_bytes:
            raise MisuseError(f"bodies_bytes is at least picture_bytes, got {self}")


@dataclass(frozen=True)
class Access:
    """Address of the server, and who may use it.

    ``host`` and ``port`` are what it binds to; port 0 takes a free one. ``names`` are further host names by
    which browsers reach it. ``token`` is asked of every client; None asks for nothing. ``certificate`` and
    ``key`` are PEM files for TLS.

    Raises :class:`~tracker.errors.MisuseError` for a port out of range, a short token, or a key without a
    certificate.
    """

    host: str = "127.0.0.1"
    port: int = 8468
    names: tuple[str, ...] = ()
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise MisuseError(f"a port lies in 0..65535, got {self.port}")
        if self.token is not None and (len(self.token) < LEAST_TOKEN or not _is_plain(self.token)):
            raise MisuseError(f"a token has at least {LEAST_TOKEN} characters, letters, digits, - and _ only")
        if self.key is not None and self.certificate is None:
            raise MisuseError("a key needs its certificate")

    @property
    def scheme(self) -> str:
        """``https`` with a certificate, else ``http``."""
        return "https" if self.certificate else "http"


def _is_plain(token: str) -> bool:
    return token.isascii() and token.replace("-", "").replace("_", "").isalnum()


@dataclass(frozen=True)
class ServerSettings:
    """Everything that a server is started with.

    ``tracker`` are the options of all trackers; clients choose model and smoothing. Pictures that are sent
    out are drawn in ``style`` and anonymised by ``anonymise``, with masks of ``mask_scale``. ``workers``
    processes treat still pictures; 0 is a thread of this process. With the address ``ray`` of a cluster all
    pictures of clients are tracked there instead, by ``workers`` replicas; 0 is as many as it has cores for.
    """

    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    style: DrawStyle = DEFAULT_STYLE
    anonymise: Mode | None = None
    mask_scale: float = 1.0
    workers: int = 0
    ray: str | None = None
