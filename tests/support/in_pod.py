"""`kubectl safe` as a pod runs it: `SERVICE_ACCOUNT` is the folder where its service account is mounted."""

import os
from pathlib import Path

from kubectl_safe.cli.main import main
from kubectl_safe.kube import config

assert "_SERVICE_ACCOUNT" in vars(config)
vars(config)["_SERVICE_ACCOUNT"] = Path(os.environ["SERVICE_ACCOUNT"])
main()
