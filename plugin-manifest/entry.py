"""Where the archive's program begins: it is `kubectl-safe`, and the Python that runs the sandbox's processes."""

import os
import runpy
import sys

LIBRARIES = "LD_LIBRARY_PATH"


def main() -> None:
    """Run the command line; or a module of ours, where `-m` names one as it does for Python."""
    _forget_the_loader()
    if sys.argv[1:2] == ["-m"] and sys.argv[2:] and sys.argv[2].partition(".")[0] == "kubectl_safe":
        module = sys.argv[2]
        del sys.argv[1:3]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    from kubectl_safe.cli.main import main as run

    run()


def _forget_the_loader() -> None:
    """Give children the environment that we were given: a credential plugin must not load the archive's libraries."""
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]
    original = os.environ.pop(f"{LIBRARIES}_ORIG", None)
    os.environ.pop(LIBRARIES, None)
    if original is not None:
        os.environ[LIBRARIES] = original


if __name__ == "__main__":
    main()
