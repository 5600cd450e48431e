"""What tiles cost in bytes, and what they save where a rectangle is decoded: each picture whole and in tiles.

``python -m benchmarks.tiles PATH... [--model photo-fast] [--tiles 1024,512] [--crop 512] [--csv F] [--json F]``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arcomp import codec, regions
from arcomp.container import unpack
from arcomp.contract import registry
from arcomp.contract.model import Execution, Model
from arcomp.errors import ArcompError
from arcomp.measure import tables
from arcomp.measure.inputs import read
from arcomp.measure.tables import Column
from arcomp.samples import Samples
from benchmarks import inputs, outputs
from benchmarks.outputs import say

Row = dict[str, Any]
COLUMNS = [
    Column("picture", "picture"),
    Column("megapixels", "MP", ".2f"),
    Column("tile", "tile"),
    Column("tiles", "tiles"),
    Column("bytes", "bytes", ",d"),
    Column("cost", "cost %", "+.2f"),
    Column("decode_s", "decode s", ".2f"),
    Column("crop_s", "crop s", ".2f"),
    Column("tiles_decoded", "of tiles"),
    Column("same", "round trip"),
]


def measure(samples: Samples, model: Model, tile: int, crop: int) -> Row:
    """A picture in tiles of that side; 0: in the model's own.

    Seconds are of the processor, all threads together. The rectangle is in the middle of the picture.
    """
    encoded = codec.encode(samples, model, tile=(tile, tile) if tile else None)
    member = unpack(encoded.data)
    began = time.process_time()
    whole = codec.decode_member(member, model).pixels
    decoded = time.process_time()
    _, height, width, _ = whole.shape
    side = min(crop, height, width)
    y, x = (height - side) // 2, (width - side) // 2
    found = regions.crop(member, (x, y, side, side), None, model, Execution(threads=1))
    cropped = time.process_time()
    same = np.array_equal(whole, samples.pixels)
    same &= np.array_equal(found.samples.pixels, samples.pixels[:, y : y + side, x : x + side])
    return {
        "tile": f"{tile} x {tile}" if tile else "whole",
        "tiles": found.tiles,
        "bytes": len(encoded.data),
        "decode_s": decoded - began,
        "crop_s": cropped - decoded,
        "tiles_decoded": found.decoded,
        "same": same,
    }


def of_picture(source: inputs.Source, model: Model, tiles: Sequence[int], crop: int) -> list[Row]:
    """A picture whole, and in tiles of each size."""
    samples = read(source.path)
    what = {"set": source.set, "picture": source.path.name, "megapixels": samples.positions / 1e6}
    rows = [{**what, **measure(samples, model, tile, crop)} for tile in (0, *tiles)]
    for row in rows:
        row["cost"] = 100 * (row["bytes"] / rows[0]["bytes"] - 1)
    return rows


def totals(rows: Sequence[Row]) -> list[Row]:
    """A row for each size of tiles over all pictures."""
    made = []
    for tile in dict.fromkeys(row["tile"] for row in rows):
        own = [row for row in rows if row["tile"] == tile]
        keys = ("megapixels", "tiles", "bytes", "decode_s", "crop_s", "tiles_decoded")
        total: Row = {"picture": f"all {len(own)}", "tile": tile, "same": all(row["same"] for row in own)}
        made.append(total | {key: sum(row[key] for row in own) for key in keys})
    for row in made:
        row["cost"] = 100 * (row["bytes"] / made[0]["bytes"] - 1)
    return made


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser("python -m benchmarks.tiles", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    parser.add_argument("--model", default="photo-fast", help="a model, or the path of its weights")
    parser.add_argument("--tiles", default="1024,512", help="sides of tiles, separated by commas")
    parser.add_argument("--crop", type=int, default=512, help="side of the rectangle that is decoded")
    parser.add_argument("--csv", type=Path, help="write all rows here")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args(arguments)
    try:
        options.tiles = [int(side) for side in options.tiles.split(",")]
        options.sources = inputs.find(options.paths)
        options.model = registry.load(options.model)
        outputs.claim(options.csv)
        outputs.claim(options.json)
    except (OSError, ValueError, ArcompError) as error:
        parser.error(str(error))
    if min(*options.tiles, options.crop) < 1:
        parser.error("sides must be at least 1")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a pixel did not come back."""
    options = parse(arguments)
    rows: list[Row] = []
    codec.warm_up(options.model, read(options.sources[0].path).channels, 8)
    for source in options.sources:
        rows += of_picture(source, options.model, options.tiles, options.crop)
        said = (f"{row['tile']} {row['cost']:+.2f} %" for row in rows[-len(options.tiles) :])
        say(f"{source.set}/{source.path.name}: {', '.join(said)}")
    summary = totals(rows) if len(options.sources) > 1 else []
    print(tables.text([*rows, *summary], COLUMNS))
    outputs.write_csv(options.csv, rows)
    outputs.write_json(options.json, {"benchmark": "tiles", "rows": rows, "totals": summary})
    return 0 if all(row["same"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
