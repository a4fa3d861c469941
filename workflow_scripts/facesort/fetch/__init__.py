"""Stage fetch: from a CSV of URLs and boxes, or a folder of crops, to an array of faces.

In: an FEC-format CSV, a manifest, or a folder.
Out: faces, their index, a ledger of every URL or file, a manifest, losses.
May use: common, demo (its host, while the rendered photos are fetched).
"""
