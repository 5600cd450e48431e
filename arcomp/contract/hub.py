"""Weights from a hub of models: ``hf://owner/repo@revision/path/in/it.safetensors``.

A revision is a branch, a tag or a commit. As in the hub's own addresses (HfFileSystem), a slash in it is written %2F,
but for ``refs/pr/N`` and ``refs/convert/NAME``.

What is fetched is checked as every file of weights is: its digest is that of its content, and nothing in it is run. A
file names its weights by that digest, so it decodes with these and no others.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from arcomp.contract.library import ENDING
from arcomp.errors import ModelError

SCHEME = "hf://"
_ADDRESS = re.compile(
    r"hf://(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/(?:pr|convert)/[\w.-]+|[\w.%-]+))?"
    r"/(?P<file>(?:[\w.+-]+/)*[\w.+-]+\.safetensors)",
    re.ASCII,
)


def is_address(name: str) -> bool:
    """Whether it names weights on a hub."""
    return name.startswith(SCHEME)


def fetched(address: str) -> Path:
    """The file of an address, in the hub's own cache: fetched once.

    Raises:
        ModelError: the address is none, huggingface_hub is not installed, or the hub does not give the file.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ModelError(
            f"{address[:80]!r} is no address of weights", remedy=f"as in hf://owner/repo@revision/file{ENDING}"
        )
    try:
        import huggingface_hub
    except ImportError:
        raise ModelError(f"{SCHEME} needs huggingface_hub", remedy="pip install huggingface_hub") from None
    hub: Any = huggingface_hub
    revision = unquote(found["revision"]) if found["revision"] else None
    try:
        path = hub.hf_hub_download(found["repo"], found["file"], revision=revision)
    except Exception as error:  # of the network, the hub, and what it answers
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"cannot be fetched: {first[:120]}", path=address, remedy="check the address") from error
    return Path(path)
