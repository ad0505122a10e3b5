"""AWS's own services, by boto3: the only part of `runner` that talks to an account."""
