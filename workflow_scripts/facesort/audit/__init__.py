"""Stage audit: what changes answers, and should not.

In: each cell's model, clusters, names and answers; groups of people; presence of faces.
Out: gaps between groups, with intervals, tests and power; rendered pairs that differ in one thing,
each cell's answers for them, a table and a page.
May use: common, demo, fetch (resizing), faces, train (models), cluster, score, pages (the frame).
"""
