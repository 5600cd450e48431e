"""``arcomp decompress --crop``: a rectangle of a picture, of which no more is decoded than it needs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcomp.cli.archives import is_archive
from arcomp.cli.coding import Startup, about_member, digits, member_in, model_for
from arcomp.cli.console import Console, duration, plural, shown, size
from arcomp.cli.files import ENDING, STDOUT
from arcomp.cli.inputs import read_compressed
from arcomp.cli.target import Target
from arcomp.errors import FormatError, OutputError

if TYPE_CHECKING:
    from arcomp.container import Member
    from arcomp.regions import Cropped


def beside(name: str, what: str, ending: str) -> str:
    """The name of what is made of part of a file when none is asked for: img.crop.png of img.png.arcomp.

    Args:
        name: the input. what: comes before the ending.
    """
    stem = name[: -len(ENDING)] if name.lower().endswith(ENDING) else name
    folder, base = os.path.split(stem)
    return os.path.join(folder, f"{os.path.splitext(base)[0] or base}.{what}.{ending}")


@dataclass
class Cropper:
    """Decodes the same rectangle of one file after the other."""

    console: Console
    target: Target
    startup: Startup
    area: tuple[int, int, int, int]
    picture: int | None
    model_name: str | None

    def __call__(self, name: str) -> None:
        """Decode a rectangle of a file.

        Raises:
            ArcompError: the file cannot be read or is damaged; the rectangle is not in it; the output cannot be written
                or cannot hold its pixels.
        """
        from arcomp.formats import format_of
        from arcomp.formats.conversion import made_of

        source = read_compressed(name)
        try:
            member = member_in(source.data, self.startup.limits)
        except FormatError:
            if is_archive(source.data):
                raise OutputError("an archive", remedy="take the picture out first: `arcomp extract`") from None
            raise
        path = self.target.place(beside(name, "crop", _ending(member)))
        self.target.claim(path, name)
        ending = (format_of(path) if path != STDOUT else "") or _ending(member)
        found, seconds = self._decoded(member, name)
        made = made_of(found.samples, found.metadata, ending)
        self.target.put(path, made.data, source, replaces=False)
        if made.lost:
            self.console.warn(f"{shown(name)}: not kept in .{ending}: {', '.join(made.lost)}")
        x, y, width, height = self.area
        about: dict[str, Any] = {
            "input": name,
            "output": path,
            **about_member(member),
            "crop": list(self.area),
            "picture": self.picture or 0,
            "tiles": found.tiles,
            "tiles_decoded": found.decoded,
            "output_bytes": len(made.data),
            "seconds": digits(seconds),
        }
        line = f"{shown(name)}{'' if path == STDOUT else ' -> ' + path}: {width} x {height} at {x},{y}, "
        self.console.result(line + f"{size(len(made.data))}, {duration(seconds)}", about, _said(found))

    def _decoded(self, member: Member, name: str) -> tuple[Cropped, float]:
        """The rectangle, and how many seconds decoding took."""
        from arcomp import codec, regions
        from arcomp.contract.model import Execution

        model = model_for(member, self.model_name)
        for one, leaf in codec.coded_by(member, model):
            self.startup.warm(one, leaf.shape[3], leaf.depth, None)
        began = time.perf_counter()
        with self.console.progress(f"decoding {shown(name)}") as meter:
            how = Execution(threads=self.startup.threads, progress=meter, limits=self.startup.limits)
            found = regions.crop(member, self.area, self.picture, model, how)
        return found, time.perf_counter() - began


def _ending(member: Member) -> str:
    """What a rectangle is written as when nothing else is asked for."""
    return "npy" if member.geometry and member.form.kind == "array" else "png"


def _said(found: Cropped) -> str:
    """What was decoded, in words."""
    if not found.tiles:
        return "all of it decoded: it is kept as bytes"
    if found.decoded == found.tiles:
        return "all of it decoded: " + ("it has no tiles" if found.tiles == 1 else f"all {found.tiles} tiles")
    return f"{found.decoded} of {plural(found.tiles, 'tile')} decoded"
