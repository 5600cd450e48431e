"""Names, times and permissions come back, and nothing is more readable than what it was made of."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.command import MODEL, said_well, save, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
WHEN = 1_234_567_890_123_456_789


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture(autouse=True, params=[0o022, 0o000])
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture(params=["img.png", "notes.txt"])
def original(folder: Path, request: pytest.FixtureRequest) -> Path:
    path = folder / str(request.param)
    if path.suffix == ".png":
        return save(path)
    path.write_bytes(b"A note.")
    return path


class TestModes:
    @pytest.mark.parametrize("bits", [0o600, 0o400, 0o644, 0o640, 0o755, 0o444, 0o604])
    def test_come_back(self, original: Path, folder: Path, bits: int) -> None:
        original.chmod(bits)
        packed = f"{original.name}.arcomp"
        said_well(say("compress", *MODEL, "--rm", original.name))
        assert mode(packed) == bits
        said_well(say("decompress", "--rm", packed))
        assert mode(original) == bits

    def test_no_more_than_the_compressed_file_allows(self, original: Path) -> None:
        """Who may not read that may not read what is in it."""
        original.chmod(0o664)
        packed = f"{original.name}.arcomp"
        said_well(say("compress", *MODEL, "--rm", original.name))
        os.chmod(packed, 0o600)
        said_well(say("decompress", packed))
        assert mode(original) == 0o600

    def test_no_more_than_the_file_that_is_replaced(self, original: Path) -> None:
        original.chmod(0o644)
        packed = Path(f"{original.name}.arcomp")
        packed.write_bytes(b"mine")
        packed.chmod(0o600)
        said_well(say("compress", *MODEL, "-f", original.name))
        assert mode(packed) == 0o600
        packed.chmod(0o644)
        original.chmod(0o600)
        said_well(say("decompress", "-f", packed))
        assert mode(original) == 0o600

    def test_set_user_id_does_not_come_back(self, original: Path) -> None:
        original.chmod(0o4755)
        said_well(say("compress", *MODEL, "--rm", original.name))
        assert mode(f"{original.name}.arcomp") == 0o755
        said_well(say("decompress", f"{original.name}.arcomp"))
        assert mode(original) == 0o755

    def test_of_conversions(self, folder: Path) -> None:
        save(folder / "a.png").chmod(0o600)
        said_well(say("compress", *MODEL, "a.png"))
        said_well(say("decompress", "a.png.arcomp", "-o", "a.bmp"))
        assert mode("a.bmp") == 0o600
        said_well(say("compress", *MODEL, "--pixels", "a.bmp", "-o", "b.arcomp"))
        assert mode("b.arcomp") == 0o600

    def test_of_pipes(self, original: Path, umask: int) -> None:
        """A name and a mode that nobody told are not known; the umask says what new files are."""
        original.chmod(0o600)
        packed = said_well(say("compress", *MODEL, "-c", original.name)).out
        said_well(say("decompress", "-", "-o", "x", stdin=packed))
        assert mode("x") == 0o600
        said_well(say("compress", *MODEL, "-", "-o", "y.arcomp", stdin=original.read_bytes()))
        assert mode("y.arcomp") == 0o666 & ~umask

    def test_while_it_is_written(self, original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = []
        fsync = os.fsync

        def looked(handle: int) -> None:
            seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
            fsync(handle)

        original.chmod(0o600)
        monkeypatch.setattr(os, "fsync", looked)
        said_well(say("compress", *MODEL, original.name))
        assert seen[0] == 0o600


class TestTimes:
    def test_come_back(self, original: Path) -> None:
        os.utime(original, ns=(WHEN, WHEN))
        packed = f"{original.name}.arcomp"
        said_well(say("compress", *MODEL, "--rm", original.name))
        assert os.stat(packed).st_mtime_ns == WHEN
        os.utime(packed, ns=(1, 1))
        said_well(say("decompress", packed))
        assert original.stat().st_mtime_ns == WHEN
        assert b"changed 2009-02-13 23:31:30 UTC, mode 0" in said_well(say("info", packed)).out

    def test_before_1970(self, original: Path) -> None:
        os.utime(original, ns=(-WHEN, -WHEN))
        said_well(say("compress", *MODEL, "--rm", original.name))
        said_well(say("info", f"{original.name}.arcomp"))
        said_well(say("decompress", f"{original.name}.arcomp"))
        assert original.stat().st_mtime_ns == -WHEN

    def test_after_2262(self, original: Path) -> None:
        """When nanoseconds do not fit into 64 bits."""
        os.utime(original, (late := 10_413_792_000, late))
        if original.stat().st_mtime != late:
            pytest.skip("a file system that does not count so far")
        packed = f"{original.name}.arcomp"
        said_well(say("compress", *MODEL, "--rm", original.name))
        assert b"changed 2300-01-01 00:00:00 UTC" in said_well(say("info", packed)).out
        assert b"2300-01-01 00:00" in said_well(say("list", packed)).out
        said_well(say("decompress", packed))
        assert original.stat().st_mtime_ns == late * 10**9

    def test_a_conversion_is_a_new_file(self, folder: Path) -> None:
        os.utime(save(folder / "a.png"), ns=(WHEN, WHEN))
        said_well(say("compress", *MODEL, "a.png"))
        said_well(say("decompress", "a.png.arcomp", "-o", "a.bmp"))
        assert os.stat("a.bmp").st_mtime_ns != WHEN
