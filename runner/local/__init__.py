"""Everything on this machine that stands in for AWS: Athena, Glue, S3, Lambda, ECS, SNS, runs."""
