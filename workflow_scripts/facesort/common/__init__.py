"""What every stage uses: sets of faces on disk, a job's log and errors, the config, digests.

In: nothing of a stage's own.
Out: functions.
May use: nothing.
"""
