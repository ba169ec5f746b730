"""Stands in for setuptools while pip downloads old sdists: see build_meta."""
