"""The workflow's library: plain functions that the scripts beside it call and the tests import."""
