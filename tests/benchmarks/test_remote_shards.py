"""What the benchmark of far shards counts, it has read and decoded."""

import pytest
from tests import tiny

from s2reid.types import Dataset, Tracklet


def test_every_frame_that_is_counted_is_read(script, tmp_path):
    shards = script("remote_shards")
    tiny.write_frames(tmp_path / "7", ["1.jpg", "2.jpg"], 1, 1)
    dataset = Dataset("two", (Tracklet(str(tmp_path), ("7/1.jpg", "7/2.jpg"), 7, 1),))
    few = shards.Asked(batch=8, batches=1)
    for read in (shards.at_once, shards.one_by_one):
        assert shards.speed(dataset, few, read) > 0
    (tmp_path / "7" / "2.jpg").write_bytes(b"damaged")
    for read in (shards.at_once, shards.one_by_one):
        with pytest.raises(ValueError, match=r"the frame .*2.jpg is not an image"):
            shards.speed(dataset, few, read)
