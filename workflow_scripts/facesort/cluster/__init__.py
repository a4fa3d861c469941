"""Stage cluster: K-means on embeddings, the clusters' names, and how far persons agree on them.

In: embeddings, movements, and labelled faces that are never scored.
Out: clusters, names, agreement.
May use: common, faces (action units of movements).
"""
