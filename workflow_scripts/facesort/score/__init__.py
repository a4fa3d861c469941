"""Stage score: what each cell predicts, how well, how sure that is, and where it fails.

In: embeddings, clusters and names, probabilities.
Out: predictions, scores, tables.
May use: common, train (which models there are), cluster.
"""
