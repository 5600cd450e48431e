"""Pictures in and out: exactly the pixels that are stored, or one line that says why not."""

from arcomp.pictures.picture import MAX_PIXELS, Picture
from arcomp.pictures.reading import read_picture
from arcomp.pictures.writing import ENDINGS, format_of, write_picture

__all__ = ["ENDINGS", "MAX_PIXELS", "Picture", "format_of", "read_picture", "write_picture"]
