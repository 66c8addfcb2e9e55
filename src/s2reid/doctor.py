"""What is installed, which device and precision will be used, where data was found, and what is missing."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from s2reid import datasets, lookup, runs, shipped
from s2reid.version import __version__

NEEDED = ("torch", "accelerate", "numpy", "scipy", "numba", "opencv-python-headless", "simplejpeg",
          "safetensors", "tyro", "rich", "jinja2", "jaxtyping")  # fmt: skip
EXTRAS = {
    "tensorboard": ("tensorboard", "TensorBoard logs (--tensorboard)"),
    "ls-vid": ("h5py", "LS-VID's MATLAB 7.3 file"),
    "av": ("av", "videos, s2reid world video"),
    "remote": ("aiohttp", "shards in object storage"),
}
"""Of each extra: the package that shows that it is there, and what it is for."""
LEAST_FREE = 2e9  # bytes that the demo and a few runs need


def examine() -> dict[str, Any]:
    """Look at the machine; everything in the answer can be held by JSON."""
    installed = {name: _version(name) for name in NEEDED}
    extras = {name: _version(package) for name, (package, _) in EXTRAS.items()}
    free = os.statvfs(".").f_bavail * os.statvfs(".").f_frsize
    root = datasets.find_root()
    problems = [f"{name} is missing: pip install {name}" for name, version in installed.items() if version is None]
    if free < LEAST_FREE:
        problems.append(f"only {free / 1e9:.1f} GB are free here: the demo needs about {LEAST_FREE / 1e9:.0f} GB")
    return {
        "s2reid": __version__,
        "commit": runs.commit(),
        "python": platform.python_version(),
        "machine": runs.machine(),
        **_device(),
        "installed": installed,
        "extras": extras,
        "models": {name: str(shipped.FOLDER / name) for name in shipped.names()},
        "free_bytes": free,
        "data_root": str(root),
        "datasets": _datasets(root),
        "problems": problems,
    }


def _device() -> dict[str, Any]:
    """Say what a network will run on; nothing where torch or accelerate is missing."""
    if not (_version("torch") and _version("accelerate")):
        return {"device": "none", "threads": 0, "precision": "none"}
    import torch

    from s2reid.train import default_precision

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    precision = {"no": "float32"}.get(default_precision(), default_precision())
    return {"device": device, "threads": torch.get_num_threads(), "precision": precision}


def as_text(found: dict[str, Any]) -> str:
    """Write the answer for a person to read."""
    lines = [
        f"s2reid {found['s2reid']} ({found['commit']}), Python {found['python']}",
        f"machine    {found['machine']['processor']}, {found['machine']['cores']} cores, {found['machine']['system']}",
        f"device     {found['device']}, {found['precision']}, {found['threads']} threads",
        f"free disk  {found['free_bytes'] / 1e9:.1f} GB",
        "installed  " + ", ".join(f"{name} {version}" for name, version in found["installed"].items() if version),
    ]
    for name, version in found["extras"].items():
        package, purpose = EXTRAS[name]
        lacking = f"{name} is not installed: pip install 's2reid[{name}]' for {purpose}"
        lines.append("extra      " + (f"{name}: {package} {version}" if version else lacking))
    models = ", ".join(found["models"]) or "none came with this copy; train one, or name a folder"
    lines.append(f"models     {models}")
    lines.append(f"data root  {found['data_root']} (set S2REID_DATA to move it)")
    for name, place in found["datasets"].items():
        lines.append(
            f"  {name:<11}" + (place or f"not found; name its place as {name}:PATH, or see `s2reid data get {name}`")
        )
    lines += [f"problem    {problem}" for problem in found["problems"]] or ["no problem found; try: s2reid demo"]
    return "\n".join(lines)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _datasets(root: Path) -> dict[str, str | None]:
    """Find the folder of each dataset under the data root, as loading a bare name does."""
    layouts = [name for name in lookup.names("datasets") if name not in ("csv", "persons", "cameras", "shards")]
    alike = {name: datasets.named_alike(name, root) for name in layouts}
    return {name: str(folders[0]) if len(folders) == 1 else None for name, folders in alike.items()}
