"""Whole reports: from tables to a page, ``metrics.json`` and figures."""
