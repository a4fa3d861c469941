"""The built-in demo data: faces drawn from facial action units, and their two data sets."""
