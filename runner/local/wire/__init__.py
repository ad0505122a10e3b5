"""AWS's own protocols on loopback: Athena, Glue, S3 and STS behind one port."""
