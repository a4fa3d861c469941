"""Application serve: photos in by a page, by HTTP or as they arrive in a folder; their tags out.

In: photos that a person drops on a page or takes, that a photo archive sends, or a folder of them.
Out: boxes and tags, as JSON, CSV and XMP; of a folder the archive's tables, kept up to date.
May use: common, fetch (images), archive, pages (the frame), sidecars (merging).
"""
