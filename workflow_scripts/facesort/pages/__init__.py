"""Pages for readers: each one HTML file that needs no network, its template beside its module."""
