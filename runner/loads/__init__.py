"""What loads into a mart have in common, whichever engine does them: types, shapes, checks.

In: a manifest, and what was found in the files and in the mart.  Out: findings, and the
configuration of Embulk.  Nothing here opens a file or a connection.
"""
