"""Stage archive: a folder of photographs in; faces, tags and a page to browse out.

In: photographs of a person's own.
Out: a table of faces and one of photos, a page to find and to judge faces on.
May use: common, faces (movements and spreads), pages (frame and style).
"""
