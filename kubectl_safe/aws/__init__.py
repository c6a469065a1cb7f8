"""Target health: the only package that imports boto3. It reads; nothing here can write to AWS."""
