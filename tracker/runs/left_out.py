"""Count of the faces that a limit leaves out of the results of a run."""

from __future__ import annotations

from tracker.types import FrameResult


class LeftOutFaces:
    """Result sink that counts ``FrameResult.left_out``: its sum over pictures, its maximum in a video."""

    def __init__(self) -> None:
        self.most = self.total = self.results = 0

    def write(self, result: FrameResult) -> None:
        """Count the faces that are left out of the results of one frame or image."""
        self.most = max(self.most, result.left_out)
        self.total += result.left_out
        self.results += result.left_out > 0

    def of_images(self, limit: int) -> str:
        """Return a line about pictures, empty if nothing was left out."""
        if not self.total:
            return ""
        return f"--max-faces {limit}: {self.total} more faces in {self.results} images are left out"

    def of_video(self, limit: int) -> str:
        """Return a line about a video or camera, empty if nothing was left out."""
        if not self.most:
            return ""
        seen = f"up to {self.most} more were seen at a time, in {self.results} frames"
        return f"at most {limit} faces are followed, and {seen}; --max-faces {limit + self.most} follows all"
