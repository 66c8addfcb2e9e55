"""The models that come with the package: named like a folder, and there, offline, right after the install."""

from pathlib import Path

FOLDER = Path(__file__).parent / "models"
CARD = "model.json"
"""The file that makes a folder a model."""
PAGE = "MODEL_CARD.md"
"""The page of a published model."""


def names() -> list[str]:
    """List the models that this copy of the package has, sorted."""
    return sorted(card.parent.name for card in FOLDER.glob(f"*/{CARD}"))


def find(name_or_path: str | Path) -> Path:
    """Return a model's folder: the path, where anything is there, else that of the shipped model of this name.

    What is neither is returned as it is: whoever reads it says that nothing is there.

    >>> find("runs/123/model").as_posix()
    'runs/123/model'
    """
    path = Path(name_or_path)
    return FOLDER / path.name if not path.exists() and str(path) in names() else path
