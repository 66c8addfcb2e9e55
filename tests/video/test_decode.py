"""Reading frames: formats, damage, sizes."""

import cv2
import numpy as np
import pytest
import simplejpeg
from tests import tiny

from s2reid.video.decode import decode, read_frame, resize

PICTURE = tiny.image(1, 0)


def encoded(suffix):
    return cv2.imencode(suffix, PICTURE[..., ::-1])[1].tobytes()


@pytest.mark.parametrize(("suffix", "error"), [(".png", 0), (".bmp", 0), (".jpg", 25)])
def test_formats_decode_to_rgb(suffix, error):
    found = decode(encoded(suffix), "x")
    assert found.shape == (32, 16, 3)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - PICTURE).mean() <= error
    swapped = np.abs(found[..., ::-1].astype(int) - PICTURE).mean()
    assert swapped > 2 * np.abs(found.astype(int) - PICTURE).mean()


def test_a_grey_jpeg_becomes_rgb():
    grey = simplejpeg.encode_jpeg(np.full((8, 4, 1), 90, np.uint8), colorspace="GRAY")
    assert (decode(grey, "x") == 90).all()


def damaged():
    for suffix in (".jpg", ".png", ".bmp"):
        whole = encoded(suffix)
        yield from ((suffix, whole[:size]) for size in (12, len(whole) // 2, len(whole) - 3))


@pytest.mark.parametrize(("suffix", "content"), [*damaged()])
def test_a_frame_cut_short_is_refused_with_its_path_and_nothing_else_is_printed(tmp_path, capfd, suffix, content):
    (tmp_path / f"7{suffix}").write_bytes(content)
    with pytest.raises(ValueError, match=rf"the frame .*7{suffix} is .*: copy it again or remove it"):
        read_frame(str(tmp_path), f"7{suffix}")
    assert capfd.readouterr().err == ""


def test_other_damage(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no picture at all")
    with pytest.raises(ValueError, match=r"the frame .*empty.jpg is empty \(0 bytes\): copy it again"):
        read_frame(str(tmp_path), "empty.jpg")
    with pytest.raises(ValueError, match=r"the frame .*text.jpg is not an image \(17 bytes that no decoder reads\)"):
        read_frame(str(tmp_path), "text.jpg")
    with pytest.raises(ValueError, match=r"cannot read the frame .*none.jpg: No such file.*; is the data complete\?"):
        read_frame(str(tmp_path), "none.jpg")
    with pytest.raises(ValueError, match=r"cannot read the frame .*: Is a directory"):
        read_frame(str(tmp_path), "")


def test_resize():
    assert resize(PICTURE, 32, 16) is PICTURE
    assert resize(PICTURE, 8, 4).shape == (8, 4, 3)
    assert resize(PICTURE, 64, 8).shape == (64, 8, 3)
    blocks = np.kron(PICTURE, np.ones((2, 2, 1), np.uint8))
    assert (resize(blocks, 32, 16) == PICTURE).all()  # by area: the mean of four equal pixels
