"""Command lines of :mod:`benchmarks.same_results`: wrong usage, errors, and short runs that succeed.

Each is written as in a shell and runs in a fresh copy of the files of :mod:`benchmarks.same_results_inputs`.
Its exit code is listed, so that two checkouts that fail everywhere for one wrong reason do not count as the
same.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Command line and its expected exit code.

    ``hidden`` is a package that is not installed for it; with ``full`` its standard output is a full device.
    """

    line: str
    code: int
    hidden: str | None = None
    full: bool = False

    @property
    def arguments(self) -> list[str]:
        """The words after the name of the command."""
        return shlex.split(self.line)

    def __str__(self) -> str:
        hidden = f" (without {self.hidden})" if self.hidden else ""
        return f"tracker {self.line}{hidden}{' > /dev/full' if self.full else ''}"


_ANSWERS = """
--version
--help
-h
--camera list
info
info --help
batch --help
bench --help
plot --help
--video noise.mp4 --no-window --json o.jsonl --backend cpu
--video noise.mp4 --no-window --json - --backend cpu
--video noise.mp4 --no-window --json o.jsonl --start 0.1 --end 0.3 --every 2 --backend cpu
--video f_%d.png --no-window --json o.jsonl --fps 10 --output o_%02d.png --backend cpu
--images stills --json - --smoothing high --max-faces 1 --backend cpu
--images 'stills/*.png' --csv o.csv --labels o.xml --parquet o.parquet --backend cpu
--images stills/a.png --anonymise points --output marked --backend cpu
--images 'twins/*' --output marked --backend cpu
--video uneven.mkv --no-window --output o.avi --backend cpu
--video noise.mp4 --no-window --output o.gif --backend cpu
--video noise.mp4 --no-window --output o.mov --backend cpu
--video noise.mp4 --no-window --output o.webm --anonymise blur --backend cpu
plot broken_off.jsonl --output o.html
"""

_WRONG_USAGE = """
--nonsense
dance
--video
--video noise.mp4 --camera 0
--video noise.mp4 --images stills
--video noise.mp4 --no-window
--images stills
--images '' --json o
--camera '' --no-window --json o
--camera list --json o
--camera list --osc 127.0.0.1:9000
--camera list --virtual-camera auto
--camera list --video noise.mp4
--threads 1 bench
--no-window info
--json o plot broken_off.jsonl
--smoothing much
--detector yolo
--anonymise pixels
--threads -1
--threads 257
--threads two
--max-faces 0
--size '1280*720'
--size 0x0
--size ''
--size 640x480 --video noise.mp4
--fps 0
--fps nan
--fps 1001
--fps 25 --video noise.mp4
--fps 30 --images stills --json o
--fourcc MJPEG
--fourcc MJPG --camera http://127.0.0.1:1/
--start -1 --video noise.mp4
--start 2 --end 1 --video noise.mp4
--start 1 --images stills --json o
--end 1 --camera 0
--every 0 --video noise.mp4
--every 2 --no-window --json o
--video noise.mp4 --json o --csv o
--video noise.mp4 --no-window --json o.jsonl --csv ./o.jsonl
--video noise.mp4 --no-window --json o --csv o.resume
--video noise.mp4 --no-window --parquet o --csv o.part
--video noise.mp4 --no-window --csv -
--video noise.mp4 --no-window --output -
--video noise.mp4 --no-window --json - --csv /dev/stdout
--video noise.mp4 --no-window --osc ''
--video noise.mp4 --no-window --virtual-camera ''
--video noise.mp4 --no-window --labels o.xml
--video noise.mp4 --no-window --json o --anonymise blur
--images stills --virtual-camera auto
--images stills --openface o.csv
--images stills --json o --anonymise points
--video noise.mp4 --no-window --resume --csv o
--video noise.mp4 --no-window --resume --json -
--video noise.mp4 --no-window --resume --json o --csv o.csv
--images stills --resume --json o --output marked
--no-window --resume --json o
batch
batch stills
batch stills --output out --jobs -1
batch stills --output out --jobs 1025
batch stills --output out --threads 257
batch stills --output out --jobs 2 --ray auto
batch stills --output out --ray ''
batch stills --output out --detector yolo
bench --size 640
bench --faces 0
bench --faces 33
bench --frames 9
bench --threads 0
plot
plot .
plot ''
plot broken_off.jsonl --output o.svg
plot broken_off.jsonl o.png
"""

_ERRORS = """
--video noise.mp4
--video missing.mp4 --no-window --json o
--video empty.mp4 --no-window --json o
--video text.mp4 --no-window --json o
--video folder.mp4 --no-window --json o
--video sound.wav --no-window --json o
--video cut.mkv --no-window --json o
--video g_%02d.png --no-window --json o
--video gone/f_%d.png --no-window --json o
--video frames.png --no-window --output frames_%d.png
--video f_%d.png --no-window --output f_%d.png
--video damaged_%d.png --no-window --json o
--video noise.mp4 --no-window --json o --start 9
--video noise.mp4 --no-window --json gone/o.jsonl
--video noise.mp4 --no-window --json stills
--video noise.mp4 --no-window --json /dev/full
--video noise.mp4 --no-window --csv gone/o.csv
--video noise.mp4 --no-window --csv /dev/full
--video noise.mp4 --no-window --openface gone/o.csv
--video noise.mp4 --no-window --parquet gone/o.parquet
--video noise.mp4 --no-window --parquet stills
--video noise.mp4 --no-window --output gone/o.mp4
--video noise.mp4 --no-window --output noise.mp4
--video noise.mp4 --no-window --csv noise.mp4
--video noise.mp4 --no-window --output o.ogv
--video noise.mp4 --no-window --output o
--video noise.mp4 --no-window --osc localhost
--video noise.mp4 --no-window --osc localhost:99999
--video noise.mp4 --no-window --virtual-camera /dev/video250
--video noise.mp4 --no-window --json old.jsonl --csv old.csv --model vgg
--video noise.mp4 --no-window --json old.jsonl --csv old.csv --backend tpu
--video noise.mp4 --no-window --json o --backend cuda
--video noise.mp4 --no-window --json old.jsonl --resume
--video noise.mp4 --no-window --json garbled.jsonl --resume
--video noise.mp4 --no-window --json foreign.jsonl --resume
--video noise.mp4 --no-window --json /dev/null --resume
--camera 77 --no-window --json o
--camera 99999999999999 --no-window --json o
--camera /dev/video250 --no-window --json o
--camera http://127.0.0.1:1/ --no-window --json o
--camera noise.mp4 --no-window --output o.avi
--images nowhere --json o
--images 'nowhere/**/*.jpg' --json o
--images nothing --json o
--images empty.jpg --json o
--images text.jpg --json o.jsonl
--images mixed --json - --output marked
--images floats.tif --json o
--images huge.png --json o
--images stills --output stills
--images stills --output gone/marked
--images stills --output noise.mp4
--images 'twins/*' --labels points
--images 'stills/a.*' --labels gone/o.xml
--images stills --labels labelled
--images stills --labels text.jpg
--images stills --csv stills/a.png
--images '*/a.png' --labels o.xml
batch missing.mp4 --output out
batch nothing --output out
batch stills --output text.jpg
batch stills --output gone/deep/out --model vgg
batch stills --output out --backend tpu
batch empty.mp4 text.mp4 stills mixed --output out --jobs 1 --backend cpu
bench --backend tpu --frames 10 --under-load
bench --model vgg --frames 10 --under-load
bench --precision int4 --frames 10 --under-load
bench --size 10x10 --under-load
bench --video missing.mp4 --frames 10 --under-load
bench --json gone/b.json --under-load
bench --plot gone/b.png --under-load
plot missing.jsonl
plot stills --output o.png
plot empty.jpg --output o.png
plot text.jpg --output o.png
plot no_time.jsonl
plot two_films.jsonl
plot goes_back.jsonl
plot broken_off.jsonl --output gone/o.png
plot o.png
"""

_HIDDEN = (
    ("--video noise.mp4 --no-window --osc 127.0.0.1:9000", "pythonosc"),
    ("--video noise.mp4 --no-window --virtual-camera auto", "pyvirtualcam"),
    ("--video noise.mp4 --no-window --parquet o.parquet", "pyarrow"),
    ("--video noise.mp4 --no-window --json o --backend openvino", "openvino"),
    ("--images stills --json o --detector mediapipe", "mediapipe"),
    ("batch stills --output out --ray auto", "ray"),
    ("batch stills --output out --backend openvino", "openvino"),
    ("bench --plot b.png --under-load", "matplotlib"),
    ("plot broken_off.jsonl", "matplotlib"),
)

_FULL = ("info", "--video noise.mp4 --no-window --json - --backend cpu", "plot broken_off.jsonl -o o.png")


def _cases() -> Iterator[Case]:
    for code, lines in ((0, _ANSWERS), (2, _WRONG_USAGE), (1, _ERRORS)):
        for line in lines.strip().splitlines():
            yield Case(line, code)
    for line, package in _HIDDEN:
        yield Case(line, 1, hidden=package)
    for line in _FULL:
        yield Case(line, 1, full=True)


CASES = tuple(_cases())
