"""Stage archive: a folder of photographs in; faces, their tags and a page to browse them on out.

In: a folder of photographs, which is only read; perhaps a trained model.
Out: tables of faces, photos and refused files, thumbnails; a page to find and to judge faces on.
May use: common, fetch (reading images, names as text), faces, train (models), pages (the frame).
"""
