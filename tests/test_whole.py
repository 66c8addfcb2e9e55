"""Files and folders that appear whole or not at all."""

import threading

import pytest

from s2reid import whole


def test_a_file_is_written_in_folders_that_are_not_there_yet(tmp_path):
    whole.write(tmp_path / "a" / "b.txt", "é")
    whole.write(tmp_path / "a" / "b.bin", b"\x00")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "é".encode()
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"b.txt", "b.bin"}


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "x"
    whole.write(path, "old")

    def fail():
        with whole.writing(path) as partial:
            partial.write_text("ne")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_an_error_that_only_the_disk_knows_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x"
    whole.write(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        whole.write(path, "new")
    assert path.read_text() == "old"


def test_two_writers_take_turns(tmp_path):
    path, texts = tmp_path / "x", [letter * size for letter, size in (("a", 200_000), ("b", 5), ("c", 100_000))]

    def again_and_again(text):
        for _ in range(10):
            whole.write(path, text)

    threads = [threading.Thread(target=again_and_again, args=(text,)) for text in texts]
    whole.write(path, "b" * 5)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert path.read_text() in texts
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_a_folder_takes_the_place_of_another(tmp_path):
    for number in (1, 2):
        partial = tmp_path / "new"
        (partial / "inside").mkdir(parents=True)
        (partial / "inside" / "x").write_text(str(number))
        whole.put(partial, tmp_path / "f")
        assert (tmp_path / "f" / "inside" / "x").read_text() == str(number)
        assert [one.name for one in tmp_path.iterdir()] == ["f"]
