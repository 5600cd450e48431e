"""``arcomp decompress --salvage``: what is intact of damaged files and archives."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from arcomp.cli.coding import Startup
from arcomp.cli.console import Console, describe, plural, shown
from arcomp.cli.crop import beside
from arcomp.cli.files import ENDING, STDOUT, folder_for, no_more_than
from arcomp.cli.inputs import Input, read_input
from arcomp.cli.target import Target
from arcomp.errors import FormatError, OutputError

if TYPE_CHECKING:
    from arcomp.batch import Folder
    from arcomp.salvage import Salvaged

LISTED = 3
"""Most lost rectangles that a line names."""


@dataclass
class Salvager:
    """Takes what is intact out of one file after the other."""

    console: Console
    target: Target
    startup: Startup
    model_name: str | None

    def __call__(self, name: str) -> None:
        """Write what is intact of a file.

        Raises:
            FormatError: something is lost, or there is nothing in it.
            ArcompError: the file cannot be read, or an output cannot be written.
        """
        from arcomp.contract import registry
        from arcomp.contract.model import Execution
        from arcomp.salvage import places, salvage

        source = read_input(name)
        found_at = places(source.data)
        members = len(found_at)
        archive = members > 1 or any("/" in place[2] for place in found_at)
        if archive and not self.target.into_folder:
            raise OutputError(
                f"an archive of {plural(members, 'member')}", remedy="name a folder for them with -o FOLDER/"
            )
        self.target.confined = archive
        model = None if self.model_name is None else registry.load(self.model_name)
        lost: list[str] = []
        is_new = archive and not os.path.lexists(self.target.output or "")
        folders = [folder_for([name])] if is_new else []
        with self.target.folders_made(folders), self.console.progress(f"decoding {shown(name)}") as meter:
            how = Execution(threads=self.startup.threads, progress=meter, limits=self.startup.limits)
            for i, found in enumerate(salvage(source.data, model, how)):
                label = f"{found.name or f'member {i + 1}'}: " if archive else ""
                try:
                    path = self._write(source, found, f"member-{i + 1}" if archive else "", folders)
                except BrokenPipeError:
                    raise
                except (OutputError, OSError) as error:  # the others are written all the same
                    wrong = error if isinstance(error, OutputError) else OutputError(describe(error))
                    lost.append(f"{label}{wrong}" if archive else f"{wrong.path or ''}: {wrong.cause}")
                    continue
                self._tell(name, path, found)
                if not found.whole:
                    lost.append(label + _loss(found))
            lost += [str(error) for error in self.target.folders_put(folders)]
            if lost:
                more = f"; and {len(lost) - LISTED} more" if len(lost) > LISTED else ""
                head = f"{len(lost)} of {plural(members, 'member')} not whole: " if archive else ""
                raise FormatError(head + "; ".join(lost[:LISTED]) + more)

    def _write(self, source: Input, found: Salvaged, member: str, folders: list[Folder]) -> str:
        """Write what came of a member; where to, "" if nothing did.

        Args:
            member: what it is called in an archive if it has no name of its own; "" if the file has one member.
            folders: gets those that are made, for their times and permissions at the end.
        """
        from arcomp.batch import Folder, make_folders, place_below
        from arcomp.container.member import TOP
        from arcomp.files import About
        from arcomp.formats import format_of

        if found.data is None and found.samples is None and found.jpeg is None:
            return ""
        name = source.name
        plain = name[: -len(ENDING)] if name.lower().endswith(ENDING) else name + ".out"
        if member and found.name == TOP:
            return self._as_top(found, folders)
        if member:
            plain = place_below(self.target.output or "", found.name or member)
        if found.original is not None and found.original.is_folder:
            folder = Folder(found.name.rstrip("/"), found.original.modified, found.original.mode)
            make_folders(self.target.output or "", [folder], confined=True)
            if not os.path.isdir(plain):
                raise OutputError("a file is in the place of this folder", path=plain)
            folders.append(folder)
            return plain
        about = None if found.original is None else About(found.original.name, None, found.original.mode)
        if found.data is not None:
            path, data = self._free(plain if member else self.target.place(plain), name), found.data
            about = about and replace(about, modified=found.original.modified if found.original else None)
        else:
            data, ending = self._picture(found, name)
            plain = f"{plain}.{ending}" if found.whole else beside(plain, "salvaged", ending)
            path = self._free(plain if member else self.target.place(plain), name)
            named = os.path.splitext(path)[1].lower()[1:] if ending == "jpg" else format_of(path)
            if not found.whole and path != STDOUT and named != ending:
                raise OutputError(f"what is left is a .{ending} file", remedy=f"name it so: -o x.{ending}", path=path)
        self.target.put(path, data, None if member else source, replaces=False, about=about)
        return path

    def _as_top(self, found: Salvaged, folders: list[Folder]) -> str:
        """What an archive says of the folder that everything is in: if that is new, it comes last, after the one that
        lets nobody in who may not read the archive, and lets in no more than that."""
        made, original = next((folder for folder in folders if not folder.within), None), found.original
        if made is not None and original is not None:
            mode = made.mode if original.mode is None else no_more_than(original.mode, made.mode or 0)
            folders[folders.index(made)] = replace(made, modified=original.modified, mode=mode)
        return self.target.output or ""

    def _free(self, path: str, name: str) -> str:
        """A path that no output of this run has: the path, or one with a number in it."""
        stem, ending = os.path.splitext(path)
        for i in count(2):
            if not self.target.written(path):
                break
            path = f"{stem}-{i}{ending}"
        self.target.claim(path, name)
        return path

    def _picture(self, found: Salvaged, name: str) -> tuple[bytes, str]:
        """What is known of a member's pictures as a file, and its ending: that of -o, or the first that holds them."""
        from arcomp.formats import format_of
        from arcomp.formats.conversion import made_of

        if found.jpeg is not None:
            return found.jpeg, "jpg"
        assert found.samples is not None
        kind = found.samples.form.kind
        chosen = "" if self.target.into_folder or self.target.to_stdout else format_of(self.target.output or "")
        endings = {"array": ["npy"], "bytes": ["bin"]}.get(kind, ["png", "tif", "npy"])
        for ending in [chosen] if chosen else endings:
            try:
                made = made_of(found.samples, found.metadata, ending)
            except OutputError:
                if ending in (chosen, endings[-1]):
                    raise
                continue
            if made.lost:
                self.console.warn(f"{shown(name)}: not kept in .{ending}: {', '.join(made.lost)}")
            return made.data, ending
        raise AssertionError("no ending was tried")

    def _tell(self, name: str, path: str, found: Salvaged) -> None:
        about: dict[str, Any] = {
            "input": name,
            "member": found.name,
            "begin": found.begin,
            "end": found.end,
            "output": path or None,
            "original": found.data is not None,
            "damage": list(found.damage),
            "lost": [lost._asdict() for lost in found.lost],
            "lost_pixels": found.lost_pixels,
            "pixels": found.pixels,
            "lost_percent": 100 * found.lost_pixels / found.pixels if found.pixels else None,
        }
        what = "the original file" if found.data is not None else "whole" if found.whole else _share(found)
        line = f"{shown(name)}{'' if path == STDOUT else ' -> ' + path}: {what}"
        if path or self.console.as_json:
            self.console.result(line, about, f"lost {', '.join(map(str, found.lost))}" if found.lost else "")


def _share(found: Salvaged) -> str:
    """How much is left of a member's pictures."""
    return f"{100 - _percent(found):.3g} % of the pixels" if found.lost_pixels else "the pixels, not the file itself"


def _percent(found: Salvaged) -> float:
    return 100 * found.lost_pixels / max(1, found.pixels)


def _loss(found: Salvaged) -> str:
    """What is damaged, and what is lost by it."""
    said = ", ".join(found.damage)
    if found.samples is None and found.jpeg is None:
        return f"{said}; all of it is lost"
    if not found.lost_pixels:
        return f"{said}; its pixels are whole, the file itself is lost"
    places = ", ".join(map(str, found.lost[:LISTED])) + (", ..." if len(found.lost) > LISTED else "")
    return f"{said}; {_percent(found):.3g} % of the pixels are lost ({places})"
