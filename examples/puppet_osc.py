"""Move an avatar by your face: send jaw, eyelids and head by OSC, each as a number from -1 or 0 to 1.

    python examples/puppet_osc.py                          camera to 127.0.0.1:9000, as VRChat listens
    python examples/puppet_osc.py --to 192.168.0.7:39539   another computer, or port
    python examples/puppet_osc.py --prefix /puppet         other addresses: /puppet/JawOpen, ...

It needs python-osc (pip install python-osc). Who wants the measures as they are, and the 68 points, takes
`tracker --osc HOST:PORT`, or `tracker.OscSink`, instead.
"""

import argparse
import sys

from tracker import FaceMeasures, TrackerError, open_source, open_tracker

# For each control the measures at its 0 and at its 1.
RANGES = {
    "JawOpen": (0.05, 0.6),
    "LeftEyeLid": (0.12, 0.3),
    "RightEyeLid": (0.12, 0.3),
    "HeadYaw": (0.0, 40.0),
    "HeadPitch": (0.0, 30.0),
    "HeadRoll": (0.0, 40.0),
}


def controls(measures: FaceMeasures) -> dict[str, float]:
    """Return the puppet's controls that this face sets; unknown measures are left out."""
    left, right = measures.eye_open
    angles = (measures.yaw_deg, measures.pitch_deg, measures.roll_deg)
    values = dict(zip(RANGES, (measures.mouth_open, left, right, *angles), strict=True))
    return {name: scaled(name, value) for name, value in values.items() if value is not None}


def scaled(name: str, value: float) -> float:
    """Return a measure as a number from 0 to 1, an angle from -1 to 1."""
    at_0, at_1 = RANGES[name]
    least = -1.0 if name.startswith("Head") else 0.0
    return min(max((value - at_0) / (at_1 - at_0), least), 1.0)


def address(text: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT."""
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def main() -> None:
    """Send the controls of the largest face, frame by frame."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="0", help="camera, URL or video; default: camera 0")
    parser.add_argument(
        "--to", type=address, default="127.0.0.1:9000", metavar="HOST:PORT", help="default: 127.0.0.1:9000"
    )
    parser.add_argument("--prefix", default="/avatar/parameters", help="default: /avatar/parameters")
    options = parser.parse_args()
    try:
        from pythonosc.udp_client import SimpleUDPClient
    except ImportError as error:
        sys.exit(f"puppet_osc: it needs python-osc ({error}): pip install python-osc")
    with (
        open_source(options.source) as source,
        open_tracker(max_faces=1) as tracker,
        SimpleUDPClient(*options.to) as client,
    ):
        for frame in source:
            for face in tracker.step(frame).faces:
                for name, value in controls(face.measures).items():
                    client.send_message(f"{options.prefix}/{name}", value)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except (TrackerError, OSError) as error:
        sys.exit(f"puppet_osc: {error}")
