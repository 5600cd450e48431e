"""The deflate streams of a form, by how they differ from predicted ones."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from arcomp.form import BitsReversed, Chunks, Deflated, Scanlines, Segment, Skeleton
from arcomp.formats.layouts import row_bytes
from arcomp.formats.rebuild import first_pictures, picture
from arcomp.samples import Samples

if TYPE_CHECKING:
    from arcomp.deflate import Predictor


def predicted(skeleton: Skeleton, samples: Samples) -> Skeleton:
    """The same form, in which deflate streams are given by how they differ from predicted ones.

    A stream stays as it is where its corrections would be more than half as long: it is then packed by rules that are
    not known here, and to predict it costs time, also when the file is rebuilt, for little.

    Args:
        skeleton: as a reader of files makes it, with all streams in it.
        samples: with which it is a file.
    """
    streams = _Streams(samples)
    return tuple(streams.predicted(segment) for segment in skeleton)


class _Streams:
    """The deflate streams of a file, in their order: rules that fit one are tried first for the next.

    Args:
        samples: of the file.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples, self._first = samples, first_pictures(samples)

    def predicted(self, segment: Segment) -> Segment:
        """A segment, its streams predicted."""
        if isinstance(segment, Chunks | BitsReversed):
            return replace(segment, content=tuple(map(self.predicted, segment.content)))
        if not isinstance(segment, Deflated) or segment.predicted:
            return segment
        from arcomp.deflate import DeflateError

        try:
            prediction = self._predictor.predict(segment.coded, self._fed(segment))
        except DeflateError:
            return segment
        if prediction.length != len(segment.coded) or 2 * len(prediction.coded) > len(segment.coded):
            return segment
        return replace(segment, coded=prediction.coded, predicted=True)

    @cached_property
    def _predictor(self) -> Predictor:
        from arcomp.deflate import Predictor  # Numba takes a second to import: only where it is needed

        return Predictor()

    def _fed(self, segment: Deflated) -> int:
        """Bytes that an encoder of PNG is given at once, a row and its filter; 0 if nothing is known."""
        for inner in segment.content[:1]:
            if isinstance(inner, Scanlines):
                return row_bytes(inner.layout, picture(self._samples, inner.picture, first=self._first).shape[1]) + 1
        return 0
