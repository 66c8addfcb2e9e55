"""The verbs of `s2reid world`, as a person types them."""

import json
import sys
from pathlib import Path

import pytest

from s2reid import cli
from s2reid.cli_world import spelled_out


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["s2reid", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


SIZE = ("--persons", 3, "--frames", 1, "--height", 16, "--workers", 1)


def test_the_word_render_may_be_left_out(run, tmp_path: Path) -> None:
    assert run("world", "svreid", "a", *SIZE)[0] == 0
    assert run("world", *SIZE, "svreid", "b")[0] == 0
    code, out, _ = run("world", "render", "svreid", "c", *SIZE, "--truth", "--without", "props", "crowd")
    assert code == 0
    assert out.startswith("svreid: 3 persons, 10 tracklets, 10 images, about")
    assert (tmp_path / "a" / "world.json").read_text() == (tmp_path / "b" / "world.json").read_text()
    assert json.loads((tmp_path / "c" / "world.json").read_text())["without"] == ["crowd", "props"]
    assert (tmp_path / "c" / "truth.json").is_file()


def test_words_are_spelled_out() -> None:
    assert spelled_out(["train", "--source", "x"]) == ["train", "--source", "x"]
    assert spelled_out([]) == []
    assert spelled_out(["world"]) == ["world"]
    assert spelled_out(["world", "--help"]) == ["world", "--help"]
    assert spelled_out(["world", "--seed", "1", "svreid", "out"]) == ["world", "render", "--seed", "1", "svreid", "out"]
    for verb in ("render", "show", "video"):
        assert spelled_out(["world", verb, "x"]) == ["world", verb, "x"]


def test_a_sheet_has_the_name_of_its_preset(run, tmp_path: Path) -> None:
    assert run("world", "show", "svreid", "--persons", 1, "--height", 16)[:2] == (0, "wrote svreid.png\n")
    assert (tmp_path / "svreid.png").is_file()


def test_a_video_by_either_name(run, tmp_path: Path) -> None:
    size = ("--minutes", 0.004, "--cameras", 1, "--walkers", 2, "--rate", 4, "--workers", 1)
    code, out, _ = run("world", "--video", "v", *size)
    assert code == 0
    assert out.startswith("video: 1 cameras, 1 frames each, 2 walkers, about")
    assert (tmp_path / "v" / "camera1" / "gt" / "gt.txt").is_file()
    assert run("world", "video", "v", *size)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("world", "gta", "out"), "no world preset named 'gta'"),
        (("world", "svreid", "out", "--workers", "0"), "rendering needs at least 1 worker, found 0"),
        (("world", "svreid", "out", "--without", "prop"), "no ingredient named 'prop'"),
        (("world", "svreid", "out", "--height", "0"), "at least 16 for height, found 0"),
        (("world", "video", "out", "--cameras", "99"), "1 to 12 for cameras, asked for 99"),
        (("world", "show", "svreid", "--out", "a.gif"), "a.gif is not a .png file"),
    ],
)
def test_mistakes_are_one_line(run, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    code, _, err = run(*words)
    (line,) = [line for line in err.splitlines() if line.startswith("s2reid: ")]
    assert code == 2
    assert message in line
    assert not [*tmp_path.iterdir()]


def test_help_names_the_three_verbs(run) -> None:
    code, out, _ = run("world", "--help")
    assert code == 0
    for verb in ("render", "show", "video"):
        assert verb in out
