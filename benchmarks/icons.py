"""Small pictures, whole files that come back bit for bit, beside the smallest of the file itself, WebP and oxipng.

``python -m benchmarks.icons FOLDER... [--count 200] [--seed 1] [--model photo-balanced]``

The set `icons` is so many of the PNGs below folders of at most 64 x 64 pixels, drawn by the seed; equal files count
once. WebP keeps pixels alone, oxipng a PNG of the same pixels.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from PIL import Image

from arcomp import files
from arcomp.container import unpack
from arcomp.contract import registry

WARMING = 20
"""Files that are coded before the time is taken: kernels are compiled."""
SIDE = 64
"""Most rows and columns."""


def found(folders: Sequence[Path], count: int, seed: int) -> list[Path]:
    """The set, in a sequence that the seed says."""
    paths = sorted(path for folder in folders for path in folder.rglob("*.png") if not path.is_symlink())
    random.Random(seed).shuffle(paths)
    kept: dict[bytes, Path] = {}
    for path in paths:
        with Image.open(path) as image:
            small = max(image.size) <= SIDE
        if small:
            kept.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
        if len(kept) == count:
            break
    return list(kept.values())


def webp(path: Path) -> int:
    """Bytes of lossless WebP."""
    made = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGBA").save(made, "WEBP", lossless=True, exact=True, method=6, quality=100)
    return len(made.getvalue())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print totals; 1 if a file did not come back."""
    parser = argparse.ArgumentParser("python -m benchmarks.icons", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default=registry.DEFAULT)
    options = parser.parse_args(arguments)
    paths, model = found(options.folders, options.count, options.seed), registry.load(options.model)
    try:
        optimised = import_module("oxipng").optimize_from_memory
    except ImportError:
        print("oxipng is not installed: pip install pyoxipng", file=sys.stderr)
        optimised = bytes
    total: Counter[str] = Counter()
    began, first = 0.0, paths[:WARMING]
    for i, path in enumerate([*first, *paths], -len(first)):
        began = time.process_time() if i == 0 else began
        data, about = path.read_bytes(), files.About(path.name, path.stat().st_mtime_ns, path.stat().st_mode & 0o7777)
        coded = files.compress(files.examine(data, model, about), model, replace(files.Settings(), verify=False))
        total["arcomp"] += len(coded.data) * (i >= 0)
        total["of them samples"] += coded.member.coded_bytes * (i >= 0)
    seconds = time.process_time() - began
    for path in paths:
        data = path.read_bytes()
        coded = files.compress(files.examine(data, model, files.About(path.name)), model)
        total["back"] += files.restored(unpack(coded.data)) == data
        sizes = {"PNG": len(data), "WebP": webp(path), "oxipng": len(optimised(data))}
        total += Counter(sizes) + Counter({"smallest": min(sizes.values())})
    for name in ("PNG", "WebP", "oxipng", "smallest", "arcomp", "of them samples"):
        print(f"{name:16} {total[name]:9,d}  {total[name] / total['smallest']:.3f}")
    print(f"{total['back']} of {len(paths)} back; {len(paths) / seconds:.0f} files a second of one core, not verified")
    return 0 if total["back"] == len(paths) else 1


if __name__ == "__main__":
    sys.exit(main())
