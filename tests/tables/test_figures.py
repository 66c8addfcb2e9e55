"""What a table's figures say of themselves."""

from s2reid.tables.entries import Entry
from s2reid.tables.figures import one_of


def test_a_figure_of_one_split_says_so_where_the_numbers_are_means():
    def entry(*splits):
        return Entry("Ours", "svreid", "standin-ilids", (0,), ("run",), "", {}, None, splits)

    assert one_of([entry(0, 1, 2), entry(0, 1, 2)]) == ", on split 0 alone"
    assert one_of([entry(3)]) == ""
    assert one_of([]) == ""
