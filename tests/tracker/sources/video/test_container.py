from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.media import picture, write_video
from tests.torture import Recipe
from tracker.errors import SourceError
from tracker.sources import limits
from tracker.sources.video.container import frame_rate, open_container, video_stream


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"", "is empty"), (b"hello\n" * 99, "is not a video, or too damaged")],
)
def test_other_files_are_refused_in_one_line(
    tmp_path: Path, content: bytes | None, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught:
        open_container(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="directory"):
        open_container(tmp_path)


def test_a_file_cut_before_its_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, 100)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(SourceError, match="too damaged"):
        open_container(path)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile a.ts\n",
    ],
)
@pytest.mark.parametrize("name", ["list.m3u8", "a.mp4"])
def test_a_playlist_opens_no_other_file_and_no_connection(tmp_path: Path, playlist: str, name: str) -> None:
    write_video(tmp_path / "a.ts", 5)
    (tmp_path / name).write_text(playlist)
    with pytest.raises(SourceError):
        open_container(tmp_path / name)


def test_a_sound_file_holds_no_video(tmp_path: Path) -> None:
    clip, sound = tmp_path / "clip.mp4", tmp_path / "sound.m4a"
    write_video(clip, 10, audio="aac")
    with av.open(str(clip)) as source, av.open(str(sound), "w", format="mp4") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    with open_container(sound) as container, pytest.raises(SourceError, match="holds no video"):
        video_stream(sound, container)


def test_frames_above_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 5, size=(640, 480))
    monkeypatch.setattr(limits, "MAX_PIXELS", 640 * 480 - 1)
    with open_container(path) as container, pytest.raises(SourceError, match="claims pictures of 640x480"):
        video_stream(path, container)


def test_a_file_may_be_read_without_seeking(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write_video(path, 5, tick=Fraction(1, 30))
    with path.open("rb") as file, open_container(path, file) as container:
        packets = container.demux(video_stream(path, container))
        assert sum(1 for packet in packets if packet.size) == 5


def test_the_frame_rate_is_the_stated_one(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 10)
    with open_container(path) as container:
        assert frame_rate(container, video_stream(path, container)) == 30


def test_a_raw_stream_has_the_rate_of_its_codec(tmp_path: Path) -> None:
    path = Recipe("raw.h264", format="h264").write(tmp_path)
    with open_container(path) as container:
        assert frame_rate(container, video_stream(path, container)) == 30


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_a_title_that_is_not_utf_8_is_no_obstacle(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "PLACEHOLDER"
        stream = out.add_stream("mpeg4", rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), format="bgr24")))
        out.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"PLACEHOLDER", b"\xff\xfe title"))
    with open_container(path) as container:
        assert "title" in container.metadata["title"]
