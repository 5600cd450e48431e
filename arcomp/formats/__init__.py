"""Pictures in and out: exactly the pixels that are stored, or one line that says why not."""

from arcomp.formats.arrays import ARRAY_ENDINGS, StoredArray, is_array, read_array, read_arrays, write_array
from arcomp.formats.folders import files_below, named_as_pictures
from arcomp.formats.picture import MAX_PIXELS, Picture
from arcomp.formats.reading import read_picture
from arcomp.formats.writing import ENDINGS, format_of, write_picture

__all__ = [
    "ARRAY_ENDINGS",
    "ENDINGS",
    "MAX_PIXELS",
    "Picture",
    "StoredArray",
    "files_below",
    "format_of",
    "is_array",
    "named_as_pictures",
    "read_array",
    "read_arrays",
    "read_picture",
    "write_array",
    "write_picture",
]
