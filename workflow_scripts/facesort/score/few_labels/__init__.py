"""How far few labels get: which faces to label first, the trials, their table and figures."""
