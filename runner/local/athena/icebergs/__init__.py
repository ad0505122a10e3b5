"""Iceberg's own files: metadata documents, manifests, types and partitions (table format 2).

Pure but for `manifests`, which reads and writes files of S3.  What is written here, other engines
read: the specification is Apache Iceberg's "Iceberg Table Spec".
"""
