"""Maps as lists of positions, and back."""

import torch

from s2reid.layers.positions import to_maps, to_positions


def test_every_number_is_where_its_indices_say():
    maps = torch.randn(6, 5, 4, 2, generator=torch.Generator().manual_seed(0))
    positions = to_positions(maps, t=3)
    assert positions.shape == (2, 3, 8, 5)
    for place in ((b, t, y, x) for b in range(2) for t in range(3) for y in range(4) for x in range(2)):
        b, t, y, x = place
        assert torch.equal(positions[b, t, 2 * y + x], maps[3 * b + t, :, y, x])
    assert torch.equal(to_maps(positions, 4), maps)


def test_maps_in_either_memory_order_are_not_copied():
    for order in (torch.contiguous_format, torch.channels_last):
        maps = torch.zeros(4, 3, 2, 5).to(memory_format=order)
        there = to_positions(maps, 2)
        assert there.data_ptr() == to_maps(there, 2).data_ptr() == maps.data_ptr()
