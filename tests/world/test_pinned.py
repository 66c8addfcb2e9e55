"""The same preset, seed and size give the same pixels: today, tomorrow, and on every x86-64 machine."""

import hashlib
import platform

import pytest

from s2reid.world import presets, request

SMALL = {"persons": 4, "frames": 2, "height": 64}
PINNED = {
    "standin-mars": (1, {"size": "tiny"}, "94afbf967c7f91524cd132c447da7d1c35d38f4ccee00fbe07a52705da810018"),
    "standin-ilids": (2, {"size": "tiny"}, "0df4fa41cac68023f4a6b58656274194000ec4127a9a6fdf3bdc895736ed9324"),
    "standin-prid": (1, {"size": "tiny"}, "40cd203aa6c9a0dd1e01ceedc2cc546d961403ae8fa1ec82a4872c5ef71d0baf"),
    "standin-ccvid": (1, {"size": "tiny"}, "692004bcd36ab0980e68cb131fcb5f882400305c964999f0494bc6bc5016360b"),
    "svreid": (2, SMALL, "5c4d257e47138a6f303139081165ef3c8ef017f8c4cbe9695e5dd7b6abb3496f"),
    "svreid-large": (2, SMALL, "e0154e756d85ff269dd14d4ca260610744cfa68f3306893db8e18e1221e97000"),
}
"""Version, size and hash: a stand-in's stays for ever, a source's changes with the version of the sources."""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="hashes are those of x86-64")
@pytest.mark.parametrize("name", PINNED)
def test_pixels_are_those_of_this_version(name: str) -> None:
    version, size, expected = PINNED[name]
    assert presets.find(name).version == version
    asked = request.request(name, **size)
    pixels = hashlib.sha256()
    for item in asked.plan()[::12]:
        for shot in asked.shots(item, asked.dress(item), is_examined=False):
            pixels.update(shot.crop.tobytes())
    assert pixels.hexdigest() == expected, "pixels changed: raise the version, or find out why"


def test_every_preset_of_its_own_is_pinned() -> None:
    assert PINNED.keys() == {name for name in presets.NAMES if name not in ("svreid-cc", "svreid-full")}
    for name in ("svreid-cc", "svreid-full"):  # which hold svreid
        first, larger = (request.request(which, persons=6) for which in ("svreid", name))
        assert larger.plan()[: len(first.plan())] == first.plan()
        own, other = first.sized(), larger.sized()
        assert vars(own) | {"name": "", "tracklets": ()} == vars(other) | {"name": "", "tracklets": ()}
