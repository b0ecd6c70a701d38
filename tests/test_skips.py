from __future__ import annotations

from pathlib import Path

import pytest

from tests.skips import ALLOWED_SKIPS, Allowed, read_allowed, unlisted

GPU = Allowed("tests/a.py::test_cuda", "needs a GPU", "no GPU in CI")


def test_a_skip_is_covered_by_test_and_reason() -> None:
    skips = [
        ("tests/a.py::test_cuda[0]", "needs a GPU"),
        ("tests/a.py::test_cuda[0]", "is broken"),
        ("tests/b.py::test_cuda", "needs a GPU"),
    ]
    assert unlisted(skips, [GPU]) == skips[1:]


def test_comments_and_blank_lines_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# comment\n\ntests/a.py::test_cuda | needs a GPU | no GPU in CI\n")
    assert read_allowed(path) == [GPU]


@pytest.mark.parametrize("line", ["tests/a.py", "tests/a.py | needs a GPU", "tests/a.py | needs a GPU |"])
def test_a_line_without_all_parts_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(line)
    with pytest.raises(ValueError, match=r"list\.txt:1: expected"):
        read_allowed(path)


def test_the_committed_list_names_tests_that_exist() -> None:
    root = ALLOWED_SKIPS.parents[1]
    for allowed in read_allowed(ALLOWED_SKIPS):
        assert (root / allowed.node_id.partition("::")[0]).exists(), allowed


def test_an_unlisted_skip_fails_the_session_in_ci_only(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeconftest(
        "import os\n"
        "from tests.skips import SkipsInCi\n"
        "def pytest_configure(config):\n"
        "    if os.environ.get('CI'):\n"
        "        config.pluginmanager.register(SkipsInCi())\n"
    )
    pytester.makepyfile("import pytest\ndef test_it():\n    pytest.skip('for no good reason')\n")
    monkeypatch.delenv("CI", raising=False)
    assert pytester.runpytest_inprocess("-p", "no:cacheprovider").ret == pytest.ExitCode.OK
    monkeypatch.setenv("CI", "true")
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["*test_it: for no good reason"])
