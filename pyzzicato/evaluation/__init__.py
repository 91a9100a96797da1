"""Measures of music, one module a family; each is meant to be read beside real music's figures."""
