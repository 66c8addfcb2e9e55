"""What README.md and docs/new_method.md tell a reader to type works; what takes long, at tiny size."""

import re
import shlex
import shutil
import sys
from dataclasses import replace
from functools import wraps
from pathlib import Path

import numpy as np
import pytest
import torch
from tests import tiny
from tests.shared import ROOT
from tyro.extras import SubcommandApp

from s2reid import cli, cli_world, datasets, experiment, lookup, methods, runs
from s2reid.experiment import Plan
from s2reid.train import Options
from s2reid.version import __version__

TINY = ("--scale", "tiny", "--steps", "2", "--workers", "0")
EXECUTED = {  # with what makes it quick
    "s2reid search s2reid-small my/query cameras:my/cameras --top 10 --out search.html": (),
    "s2reid data check cameras:my/cameras --deep": (),
    "s2reid world svreid-large worlds/source --persons 1200": ("--persons", "8", "--frames", "2", "--height", "32"),
    "s2reid train --source svreid:worlds/source": TINY,
    "s2reid train --source svreid:worlds/source --target cameras:my/cameras --method target_bn "
    "--init runs/KEY/model": TINY,
    "s2reid train --source svreid:worlds/source --target cameras:my/cameras --method s2r": TINY,
    "s2reid calibrate runs/KEY/model cameras:my/cameras --out my/model": (),
    "s2reid search my/model my/query cameras:my/cameras": (),
    "s2reid evaluate runs/KEY/model persons:my/labelled": (),
    "s2reid report runs --out report.html": (),
    "s2reid data get mars": (),
    "s2reid report runs/BASELINE runs/OURS": ("--out", "both.html"),
}
"""In the order of the page, so that each finds what those before it made."""
PARSED_ONLY = {
    "s2reid data check mars:data/mars": "needs MARS; tests/datasets reads a copy of its layout",
    "s2reid evaluate s2reid-small mars:data/mars": "needs MARS",
    "s2reid train --source svreid:worlds/source --target mars:data/mars --method s2r": "needs MARS",
    "s2reid table 2 --small --dry-run": "times a training step of each kind; tests/test_cli_table.py does it",
    "s2reid table 2 --data path/to/datasets --split all --dry-run": "needs the recordings; tests/tables has a copy of "
    "their layouts",
    "s2reid benchmark --quick": "measures for a minute; tests/test_benchmark.py measures each part",
}
NEW_METHOD = (
    "s2reid train --source svreid:worlds/source --target cameras:my/cameras --method coral",
    "s2reid train --source svreid:worlds/source --target cameras:my/cameras --method coral --settings alignment=10",
)


def blocks(page: str, language: str) -> list[str]:
    """List a page's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """List the lines of a page's shell blocks, without their comments."""
    lines = [line.split("#")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
    return [" ".join(line.split()) for line in lines if line]


def test_every_block_is_of_a_kind_that_is_tested():
    text = (ROOT / "README.md").read_text("utf-8")
    languages = re.findall(r"^```(\w*)$", text, re.MULTILINE)[::2]
    assert set(languages) == {"sh", "python", "bibtex"}
    assert len(text.splitlines()) < 200
    assert [line for line in commands("README.md") if line.startswith("s2reid")] == [
        line for line in commands("README.md") if line in EXECUTED or line in PARSED_ONLY
    ]
    assert {*EXECUTED, *PARSED_ONLY} == {line for line in commands("README.md") if line.startswith("s2reid")}
    assert not EXECUTED.keys() & PARSED_ONLY.keys()


def test_what_is_not_ours_is_a_target_of_the_makefile():
    others = [line for line in commands("README.md") if not line.startswith("s2reid")]
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert others == ["make demo", "make test", "make demo REAL=persons:path/to/folder"]
    assert all(line.split()[1] in targets for line in others)


def without_bodies(app: SubcommandApp, called: list) -> SubcommandApp:
    """Copy a command line whose verbs take note of what they were given instead of doing it."""
    copied = SubcommandApp()
    for name, spec in app._subcommands.items():
        if isinstance(spec.target, SubcommandApp):
            copied.command(without_bodies(spec.target, called), name=name)
            continue

        @wraps(spec.target)
        def note(*given, verb=spec.target, **named):
            called.append((verb.__name__, given, named))

        copied.command(note, name=name)
    return copied


@pytest.mark.parametrize("line", [*EXECUTED, *PARSED_ONLY, *NEW_METHOD])
def test_the_command_line_understands_it(line):
    called, words = [], cli_world.spelled_out(shlex.split(line)[1:])
    without_bodies(cli.app, called).cli(prog="s2reid", args=words)
    ((verb, _, _),) = called
    assert verb in words


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Stand in a folder with what the page speaks of."""
    tiny.write_source(tmp_path / "worlds" / "source")
    for person in range(4):
        for camera in range(2):
            names = [f"{frame}.jpg" for frame in range(3)]
            tiny.write_frames(tmp_path / f"my/cameras/{camera}/{person}", names, 10 + person, camera)
            tiny.write_frames(tmp_path / f"my/labelled/{person}/{camera}", names, 20 + person, camera)
    tiny.write_frames(tmp_path / "my/query", ["0.jpg", "1.jpg"], 10, 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("S2REID_DATA", raising=False)
    return tmp_path


def type_in(line, more=()):
    """Run a line in this process as `s2reid` does, and return the exit code; `KEY` is the oldest run."""
    made = sorted(Path("runs").glob("*/run.json"), key=lambda path: path.stat().st_mtime_ns)
    for word, place in {"KEY": 0, "BASELINE": 0, "OURS": -1}.items() if made else ():
        line = line.replace(word, made[place].parent.name)
    sys.argv = ["s2reid", *shlex.split(line)[1:], *more]
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code or 0
    return 0


@pytest.mark.usefixtures("tiny_scale")
def test_the_quick_lines_run(home, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["s2reid"])
    shutil.rmtree("worlds/source")  # which the page renders
    shown = []
    for line, more in EXECUTED.items():
        if "OURS" in line:
            assert type_in("s2reid evaluate runs/OURS/model persons:my/labelled") == 0
            capsys.readouterr()
        assert type_in(line, more) == 0, capsys.readouterr().err
        shown.append(capsys.readouterr().out)
    assert (home / "search.html").is_file()
    assert (home / "report.html").is_file()
    assert (home / "both.html").is_file()
    trained = [runs.read(path.parent)["training"]["method"] for path in Path("runs").glob("*/model")]
    assert sorted(trained) == ["s2r", "s2r", "source_only", "target_bn"]
    assert all(shown)


@pytest.mark.usefixtures("tiny_scale")
def test_the_python_of_the_page_runs():
    (code,) = blocks("README.md", "python")
    names = {}
    exec(code, names)
    assert names["vectors"].shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(names["vectors"], axis=1), 1, atol=1e-5)
    assert names["similarity"].shape == (2, 2)


def test_links_lead_somewhere():
    for page in ("README.md", "docs/new_method.md", "docs/data_card.md"):
        folder = (ROOT / page).parent
        for place in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text("utf-8")):
            assert place.startswith("http") or (folder / place).exists(), (page, place)
    assert (ROOT / "docs" / "people.png").stat().st_size < 300_000


@pytest.fixture
def coral(tmp_path, monkeypatch):
    """Put the page's method where methods are found."""
    file, _ = blocks("docs/new_method.md", "python")
    (tmp_path / "written").mkdir()
    (tmp_path / "written" / "coral.py").write_text(file)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path / "written")])
    yield lookup.find("methods", "coral")
    sys.modules.pop("s2reid.methods.coral", None)
    del methods.coral


@pytest.mark.usefixtures("tiny_scale")
def test_the_new_method_trains_in_the_same_loop(coral, home):
    source, target = datasets.load("svreid:worlds/source"), datasets.load("cameras:my/cameras")
    plan = Plan("coral", source, target, "tiny", steps=2)
    folder = experiment.run(plan, home / "runs", Options(workers=0))
    (line,) = runs.read_log(folder / runs.LOG)
    assert set(line["terms"]) == {"identity", "triplet", "coral"}
    labelled = datasets.load("persons:my/labelled")
    (row,) = experiment.evaluate(folder / "model", labelled)
    assert row["method"] == "coral"
    other = replace(plan, settings={"alignment": 10.0})
    assert other.training().key != plan.training().key

    bare = replace(target, train=tuple(replace(one, person=one.camera) for one in target.train))
    assert replace(plan, target=bare).training().key == plan.training().key  # the target's labels change nothing
    learner = coral.Coral().build(tiny.task())
    with pytest.raises(ValueError, match="coral needs target clips: give a target"):
        learner.losses(tiny.clips(), None)


@pytest.mark.usefixtures("tiny_scale")
def test_the_new_methods_own_tests_pass(coral):
    _, code = blocks("docs/new_method.md", "python")
    names = {}
    exec(code, names)
    torch.manual_seed(0)
    found = [function for name, function in names.items() if name.startswith("test_")]
    assert len(found) == 2
    for function in found:
        function()


def test_the_new_methods_commands_are_those_that_are_parsed():
    assert tuple(commands("docs/new_method.md")) == NEW_METHOD


def test_the_citation_names_the_version_and_the_paper():
    said = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"version: {__version__}\n" in said
    (entry,) = blocks("README.md", "bibtex")
    assert "2402.02108" in said
    assert "2402.02108" in entry
