"""Stage sidecars: an archive's tags in; XMP beside its photos, which photo managers read, out.

In: the tables of an archive, its photos and their sidecars.
Out: sidecars with our tags and regions, a table of what happens to each; all of it can be undone.
May use: common, fetch (boxes as stored, names as text), archive (tables, XMP).
"""
