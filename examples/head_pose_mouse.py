"""Move the mouse pointer by turning the head, and click by opening the mouth.

    python examples/head_pose_mouse.py                      print what would happen; Ctrl-C ends it
    python examples/head_pose_mouse.py --pointer xdotool    move the pointer (Linux with X11)
    python examples/head_pose_mouse.py --pointer pyautogui  move it (pip install pyautogui)

Look straight at the middle of the screen when it starts: that pose is rest.
"""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Callable

from tracker import TrackerError, open_source, open_tracker

REST_DEG = 2.0  # no head is held quite still: below this nothing moves
OPEN_MOUTH = 0.3


def show(right: int, down: int, click: bool) -> None:
    """Print the movement in pixels, and the click."""
    print(f"move {right:+d} {down:+d}{' and click' if click else ''}", flush=True)


def xdotool(right: int, down: int, click: bool) -> None:
    """Move and click by the program xdotool."""
    button = ["click", "1"] if click else []
    subprocess.run(["xdotool", "mousemove_relative", "--", str(right), str(down), *button], check=True)


def pyautogui(right: int, down: int, click: bool) -> None:
    """Move and click by the package pyautogui."""
    library = importlib.import_module("pyautogui")
    library.move(right, down)
    if click:
        library.click()


POINTERS: dict[str, Callable[[int, int, bool], None]] = {
    "print": show, "xdotool": xdotool, "pyautogui": pyautogui
}  # fmt: skip


def main() -> None:
    """Steer the pointer by the largest face in view."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, URL or video; default: camera 0")
    parser.add_argument("--pointer", choices=POINTERS, default="print", help="default: print")
    parser.add_argument("--speed", type=float, default=1.5, help="pixels a frame and degree; default: 1.5")
    options = parser.parse_args()
    rest: tuple[float, float] | None = None
    was_open = False
    with open_source(options.source) as source, open_tracker(max_faces=1) as tracker:
        for frame in source:
            for face in tracker.step(frame).faces:
                yaw, pitch, mouth = (face.measures.yaw_deg, face.measures.pitch_deg, face.measures.mouth_open)
                if yaw is None or pitch is None or mouth is None:
                    continue
                rest = rest or (yaw, pitch)
                # In the picture of a camera, a head that turns to its own right turns to the left.
                right, down = rest[0] - yaw, rest[1] - pitch
                moves, clicks = max(abs(right), abs(down)) > REST_DEG, mouth > OPEN_MOUTH and not was_open
                if moves or clicks:
                    speed = options.speed if moves else 0.0
                    POINTERS[options.pointer](round(speed * right), round(speed * down), clicks)
                was_open = mouth > OPEN_MOUTH


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except (TrackerError, ImportError, OSError) as error:
        sys.exit(f"head_pose_mouse: {error}")
