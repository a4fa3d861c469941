"""Stage album: the tables of an archive in; best shots, head shots and a summary of folders out.

In: what stage archive found in a folder of photographs; not the photographs themselves.
Out: tables of choices with their reasons, and a page of them. No photo is deleted, rated or moved.
May use: common, faces (likeness, groups), archive (tables), pages (the frame).
"""
