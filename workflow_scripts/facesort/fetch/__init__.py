"""Stage fetch: from a CSV of URLs and boxes to an array of faces.

In: an FEC-format CSV or a manifest.
Out: faces, their index, a ledger of every URL, a manifest, losses.
May use: common, demo (its host, while the rendered photos are fetched).
"""
