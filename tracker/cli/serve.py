"""The command ``tracker serve``.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.drawing import check_mask_scale, check_style, parse_style
from tracker.cli.exit_codes import interruptible
from tracker.cli.options import (
    DEFAULT_MAX_FACES,
    Anonymise,
    Backend,
    Detector,
    Draw,
    Fourcc,
    Fps,
    LabelsOnFaces,
    MaskScale,
    MaxFaces,
    MinFace,
    MinScore,
    Model,
    Quiet,
    Size,
    Smoothing,
    Threads,
    cluster_address,
    named_path,
)
from tracker.cli.usage import check_source, parse_camera_mode
from tracker.distribution import install_command
from tracker.errors import ServeError

MOST_PROCESSES = 64
"""Most processes for still pictures on one computer."""

PACKAGES = ("starlette", "uvicorn", "websockets")
"""Packages of the extra, by the names under which they are imported."""

Camera = Annotated[
    str | None,
    typer.Option(metavar="N|PATH|URL", help="Show this camera or stream of the server, too: --camera 0."),
]
Video = Annotated[
    Path | None,
    typer.Option(
        parser=named_path, metavar="FILE", help="Show this video of the server, too, again and again."
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Address to listen on; any but a local one asks for a token.")
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="A further name under which browsers reach the server; repeat."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(parser=named_path, metavar="FILE", help="Ask for the token in the first line of this file."),
]
Certificate = Annotated[
    Path | None,
    typer.Option(parser=named_path, metavar="FILE.pem", help="Serve https with this certificate."),
]
Key = Annotated[
    Path | None,
    typer.Option(parser=named_path, metavar="FILE.pem", help="Key of --certificate, if it is not in there."),
]
Workers = Annotated[
    int,
    typer.Option(
        min=0,
        max=1024,
        help="Processes for still pictures; 0: a thread of the server. With --ray trackers; 0: one per core.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        parser=cluster_address,
        metavar="auto|ADDRESS",
        help="Track what clients send on this Ray cluster (extra: cluster).",
    ),
]
MostConnections = Annotated[
    int, typer.Option("--max-connections", min=1, max=10_000, help="At most this many clients at once.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]


def serve(  # noqa: PLR0913 - options of the command line
    camera: Camera = None,
    size: Size = None,
    fps: Fps = None,
    fourcc: Fourcc = None,
    video: Video = None,
    port: Port = 8468,
    host: Host = "127.0.0.1",
    allow_host: AllowHost = None,
    token_file: TokenFile = None,
    certificate: Certificate = None,
    key: Key = None,
    workers: Workers = 0,
    ray: Ray = None,
    max_connections: MostConnections = 64,
    anonymise: Anonymise = None,
    mask_scale: MaskScale = None,
    draw: Draw = None,
    labels_on_faces: LabelsOnFaces = False,
    model: Model = "resnet18",
    backend: Backend = "auto",
    detector: Detector = "blazeface",
    threads: Threads = 0,
    max_faces: MaxFaces = None,
    min_score: MinScore = 0.0,
    min_face: MinFace = 0.0,
    smoothing: Smoothing = "low",
    open_page: Open = False,
    quiet: Quiet = False,
) -> None:
    """Track in a browser, and for other programs over HTTP and WebSocket.

    `tracker serve --open` shows a page that tracks the camera of the computer in front of you, and pictures
    and videos that you drop there; `--camera 0` or `--video in.mp4` shows a source of the server, too. Other
    programs post a picture to /api/faces and get JSON. Nothing leaves this computer unless `--host` says so.
    (Extra: serve.)
    """
    check_source((), camera, video, None)
    has_source = camera is not None or video is not None
    if camera == "":
        raise typer.BadParameter("the name is empty; give one, or leave the option out")
    mode = parse_camera_mode(camera, size, fps, fourcc)
    style = parse_style(draw, labels_on_faces)
    check_style(draw is not None or labels_on_faces, style, anonymise, has_source)
    check_mask_scale(mask_scale, anonymise)
    if anonymise and not has_source:
        raise typer.BadParameter(
            "--anonymise hides faces in pictures that the server sends: give --camera or --video with it"
        )
    if ray is None and workers > MOST_PROCESSES:
        raise typer.BadParameter(f"--workers is at most {MOST_PROCESSES} without --ray")
    if key and not certificate:
        raise typer.BadParameter("--key is that of --certificate: give both")
    with interruptible(writes=False), ExitStack() as stack:
        if missing := [name for name in PACKAGES if not find_spec(name)]:
            raise ServeError(
                f"tracker serve needs {missing[0]}, which is not installed: {install_command('serve')}"
            )
        from tracker.cli.start_serve import open_live, read_names, read_token, start_server
        from tracker.serve.server import Listener
        from tracker.serve.settings import Access, Limits, ServerSettings
        from tracker.tracking.opening import TrackerOptions

        access = Access(
            host,
            port,
            read_names(allow_host or ()),
            read_token(token_file) if token_file else None,
            certificate,
            key,
        )
        options = TrackerOptions(
            model,
            backend,
            detector,
            threads=threads,
            max_faces=max_faces or DEFAULT_MAX_FACES,
            smoothing=smoothing,
            max_still_faces=max_faces,
            min_score=min_score,
            min_face=min_face,
        )
        settings = ServerSettings(
            options,
            access,
            Limits(connections=max_connections),
            style,
            anonymise,
            mask_scale=mask_scale or 1.0,
            workers=workers,
            ray=ray,
        )
        listener = stack.enter_context(Listener(access))
        source = open_live(camera, mode, video)
        if source:
            stack.push(source)
        start_server(listener, settings, source, opens=open_page, quiet=quiet)
