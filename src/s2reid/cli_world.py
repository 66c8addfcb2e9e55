"""The verbs of `s2reid world`: render a preset, look at it before, record a place with several cameras."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg
from tyro.extras import SubcommandApp

app = SubcommandApp()


@app.command
def render(
    preset: Positional[str],
    out: Positional[Path],
    /,
    seed: int = 0,
    size: Literal["tiny", "small", "full"] | None = None,
    persons: int | None = None,
    frames: int | None = None,
    height: int | None = None,
    without: tuple[str, ...] = (),
    truth: bool = False,
    workers: int | None = None,
) -> None:
    """Render tracklets in the layout of a dataset; run the same command again to go on with an unfinished world.

    The word may be left out: s2reid world PRESET OUT.

    Args:
        preset: svreid (333 persons, 10 cameras), svreid-cc (the same persons in up to 8 outfits), svreid-full (up to
            37), svreid-large (domain-randomised), or a target to practise on: standin-mars, standin-ilids,
            standin-prid, standin-ccvid.
        out: the folder to write; it must be new, empty or an unfinished world of the same settings.
        seed: every number of the world follows from it.
        size: of a stand-in: tiny (seconds), small (minutes; its default) or full (the real counts).
        persons: how many persons, where the preset's number will not do.
        frames: frames of each tracklet, of the longest ones in a stand-in.
        height: pixels from top to bottom; the width is half of it.
        without: ingredients of a source to leave out, such as crowd props.
        truth: write truth.json too: masks, keypoints, boxes, visibility, camera poses and attributes of every image.
        workers: processes; the result does not depend on it.
    """
    from s2reid import progress
    from s2reid.world import write

    asked: dict[str, Any] = {"seed": seed, "size": size, "persons": persons, "frames": frames, "height": height}
    asked |= {"without": without, "truth": truth}
    print(f"{preset}: {write.estimate(preset, **asked)}")
    with progress.bar(f"render {preset}", "images") as advance:
        write.write(preset, out, **asked, workers=workers, progress=advance)
    print(f"wrote {out}")


@app.command
def show(
    preset: Positional[str],
    /,
    out: Path | None = None,
    seed: int = 0,
    persons: int = 6,
    height: int | None = None,
    without: tuple[str, ...] = (),
) -> None:
    """Draw a contact sheet of a preset: persons before different cameras and, where there are some, in their outfits.

    Args:
        preset: see render.
        out: the PNG to write (PRESET.png where none is named); it is not opened.
        seed: of the world.
        persons: how many rows.
        height: of a picture in pixels.
        without: ingredients of a source to leave out.
    """
    from s2reid.world import show as sheets

    asked: dict[str, Any] = {"persons": persons, "seed": seed, "height": height, "without": without}
    print(f"wrote {sheets.show(preset, out or Path(f'{preset}.png'), **asked)}")


@app.command
def video(
    out: Positional[Path],
    /,
    minutes: float = 1.0,
    cameras: int = 2,
    walkers: int = 12,
    seed: int = 0,
    rate: int = 10,
    mp4: Annotated[bool, arg(name="mp4")] = False,
    workers: int | None = None,
) -> None:
    """Record a place with several cameras at once: whole frames, and everybody's tracks in MOT's and COCO's formats.

    Args:
        out: the folder to write; it must be new, empty or an unfinished recording of the same settings.
        minutes: how long.
        cameras: how many; they run at the same time, and a person has the same number before all of them.
        walkers: how many people stroll about.
        seed: everything follows from it.
        rate: frames a second.
        mp4: write a video file of each camera too; needs the extra s2reid[av].
        workers: processes; the result does not depend on it.
    """
    from s2reid import progress
    from s2reid.world import surveillance

    asked = surveillance.recording(seed=seed, minutes=minutes, cameras=cameras, walkers=walkers, rate=rate)
    print(f"video: {asked}")
    with progress.bar("record", "frames") as advance:
        surveillance.record(asked, out, mp4=mp4, workers=workers, progress=advance)
    print(f"wrote {out}")


def spelled_out(words: Sequence[str]) -> list[str]:
    """Put in the verb that may be left out: what follows `world` is a preset unless it is a verb.

    >>> spelled_out(["world", "svreid", "out"]), spelled_out(["world", "--video", "out"])
    (['world', 'render', 'svreid', 'out'], ['world', 'video', 'out'])
    """
    first, *rest = [*words, "", ""][:2]
    if first != "world" or rest[0] in ("", "render", "show", "video", "-h", "--help"):
        return [*words]
    return ["world", "video", *words[2:]] if rest[0] == "--video" else ["world", "render", *words[1:]]
