"""Functions that come with the package, a folder each; workflows say `builtin:<name>`."""
