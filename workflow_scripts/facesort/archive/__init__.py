"""Stage archive: a folder of photographs in, faces and their tags out.

In: a folder of photographs, which is only read; perhaps a trained model.
Out: tables of faces, photos and refused files, thumbnails.
May use: common, fetch (reading images, names as text), faces, train (models).
"""
