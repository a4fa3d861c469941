"""Python imports this at its start, where the Snakefile has put its folder on PYTHONPATH.

A job's script goes to a process that has its packages imported already; all else starts as ever.
"""

import os
import sys

folder = os.environ.get("FACESORT_WARM")
if folder and len(sys.orig_argv) == 2 and "/.snakemake/scripts/" in sys.orig_argv[1]:
    from hand_over import hand_over

    hand_over(folder, sys.orig_argv[1])
