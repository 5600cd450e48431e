"""What a picture's file says besides its pixels.

Every reader goes through its whole file: through all chunks, segments, tags or fields. Each is structure (how the
pixels lie there), or a field of :class:`arcomp.formats.metadata.fields.Metadata`, or it is named. So what nobody
thought of is named too, and a conversion loses nothing without a word.
"""
