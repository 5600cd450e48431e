"""Files after public bug reports of other programs: each comes back bit for bit.

They are not in the repository; where they are not beside it, nothing is tested. What each taught stands in tests of its
own, with a small file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from arcomp.measure.whole_files import there_and_back

SHARED = Path(__file__).parents[3] / "shared"
CASES = sorted(path for path in (SHARED / "cases" / "files").rglob("*") if path.is_file())


@pytest.mark.skipif(not CASES, reason="the files are not here")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_comes_back(path: Path) -> None:
    outcome = there_and_back(path, "histogram", threads=1)
    assert not outcome.failed
    assert outcome.right, outcome


LEFT_AS_BYTES = {"cut.bmp", "off_in_header.bmp", "p1_raster_comment.pbm", "p3_over.ppm"}
"""Damaged ones, and text in no shape that is kept; all others that lie uncompressed have a form."""
PLAIN = [path for path in CASES if path.suffix in (".bmp", ".pbm", ".pgm", ".ppm", ".pam", ".npy", ".npz")]


@pytest.mark.skipif(not PLAIN, reason="the files are not here")
@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.name)
def test_has_a_form(path: Path) -> None:
    data = path.read_bytes()
    parsed = parse(data)
    assert (parsed is None) == (path.name in LEFT_AS_BYTES)
    if parsed is not None:
        assert rebuild(parsed.skeleton, parsed.samples) == data
