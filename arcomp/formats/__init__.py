"""Files in and out: exactly the samples that are stored, or one line that says why not."""

from arcomp.formats.folders import files_below, named_as_pictures
from arcomp.formats.npy import ARRAY_ENDINGS, is_array, read_array, read_arrays
from arcomp.formats.reading import START, kind, lost_in, read, start_of, whole
from arcomp.formats.writing import ENDINGS, format_of, write

__all__ = [
    "ARRAY_ENDINGS",
    "ENDINGS",
    "START",
    "files_below",
    "format_of",
    "is_array",
    "kind",
    "lost_in",
    "named_as_pictures",
    "read",
    "read_array",
    "read_arrays",
    "start_of",
    "whole",
    "write",
]
