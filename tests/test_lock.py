"""One process at a time in a folder; what a killed process does to it is in test_survival.py."""

import errno
import fcntl
import os
import threading

import pytest

from s2reid import lock


def test_a_folder_is_held_and_let_go(tmp_path):
    folder = tmp_path / "new" / "run"
    with lock.held(folder):
        assert [path.name for path in folder.iterdir()] == [lock.LOCK]
        message = rf"run is in use by process {os.getpid()} on .*: wait until that has ended, or stop it"
        with pytest.raises(ValueError, match=message), lock.held(folder):
            pass
    assert not [*folder.iterdir()]
    with pytest.raises(KeyError), lock.held(folder):
        raise KeyError
    with lock.held(folder):
        pass


def test_who_waits_comes_next(tmp_path):
    said, inside = [], threading.Event()

    def second():
        inside.set()
        with lock.held(tmp_path, wait=True):
            said.append("second")

    with lock.held(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        inside.wait()
        said.append("first")
    thread.join(10)
    assert said == ["first", "second"]
    assert not [*tmp_path.iterdir()]


def test_of_processes_launched_together_the_first_holds_for_all(tmp_path, monkeypatch):
    with lock.held(tmp_path):
        monkeypatch.setenv("RANK", "1")
        with lock.held(tmp_path):
            pass
        assert (tmp_path / lock.LOCK).exists()


def test_the_holder_s_name_may_not_be_there_yet(tmp_path):
    taken = lock.take(tmp_path / lock.LOCK, wait=False)
    with pytest.raises(ValueError, match="is in use by another process: wait"), lock.held(tmp_path):
        pass
    lock.release(taken)


@pytest.mark.parametrize(("code", "is_taken"), [(errno.ENOLCK, True), (errno.EIO, False)])
def test_a_disk_without_locks_keeps_nobody_out(tmp_path, monkeypatch, code, is_taken):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = set(lock._mine)
    if is_taken:
        with lock.held(tmp_path), lock.held(tmp_path):
            pass
    else:
        message = r"cannot write into .* \(Input/output error\): make it writable, or use another folder"
        with pytest.raises(ValueError, match=message), lock.held(tmp_path):
            pass
    assert lock._mine == before


def test_a_full_disk_is_not_taken_for_a_wrong_folder(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock, "take", full)
    with pytest.raises(OSError, match="No space left on device"), lock.held(tmp_path):
        pass
