"""Stage pages: figures, maps, and pages to read and to name clusters on.

In: all that the stages before have made.
Out: PNG figures, HTML pages, data sheets, costs.
May use: common, fetch (urls), faces (movements), train (which cells), cluster, score (Table 1).
"""
