"""Stage pages: figures, maps, and pages to read and to name clusters on.

In: all that the stages before have made.
Out: PNG figures, HTML pages, costs.
May use: common, faces (movements), train (which cells there are), cluster, score (cells, Table 1).
"""
