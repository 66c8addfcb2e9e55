"""Contact sheets of what is not rendered yet."""

from pathlib import Path

import cv2
import pytest

from s2reid.world.show import GAP, TITLE, show


def test_a_sheet_shows_cameras_and_then_outfits(tmp_path: Path) -> None:
    path = show("svreid-cc", tmp_path / "pages" / "sheet.png", persons=2, height=48)
    sheet = cv2.imread(str(path))
    assert sheet.shape[0] == 2 * (TITLE + 2 * (48 + GAP))
    assert sheet.shape[1] >= 10 * (24 + GAP)
    for row in range(2):
        for column in (0, 4, 9):
            top, left = TITLE + row * (48 + GAP), column * (24 + GAP)
            assert sheet[top : top + 48, left : left + 24].std() > 5
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()].count("sheet.png") == 1


@pytest.mark.parametrize(("name", "blocks"), [("svreid", 1), ("standin-ccvid", 2)])
def test_outfits_are_shown_where_there_are_some(tmp_path: Path, name: str, blocks: int) -> None:
    path = show(name, tmp_path / "s.png", persons=1, height=32, seed=1)
    assert cv2.imread(str(path)).shape[0] == blocks * (TITLE + 32 + GAP)
    assert show(name, tmp_path / "again.png", persons=1, height=32, seed=1).read_bytes() == path.read_bytes()


def test_sheets_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a sheet shows 1 to 50 persons, asked for 0"):
        show("svreid", tmp_path / "s.png", persons=0)
    with pytest.raises(ValueError, match="no world preset named 'gta'"):
        show("gta", tmp_path / "s.png")
    with pytest.raises(ValueError, match=r"s\.jpg is not a \.png file"):
        show("svreid", tmp_path / "s.jpg")
    assert not [*tmp_path.iterdir()]
