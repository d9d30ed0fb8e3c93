"""A process that holds a local Ray with two workers, and runs the command line in it: a line of arguments in, a line of results out.

Ray stays out of the tests' own process, and what it has started is used by every run.
"""

import contextlib
import io
import json
import logging
import os
import sys
import traceback


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    import ray

    from torchlint.cli import main as torchlint

    # Two for the actors, and two for what lists, reads, filters and writes.
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        folder, arguments = json.loads(line)
        os.chdir(folder)
        sys.argv = ["torchlint", *arguments]
        out, err, status = io.StringIO(), io.StringIO(), None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                torchlint()
            except SystemExit as ended:
                status = ended.code
            except BaseException:  # noqa: BLE001  whatever it is, the test is told
                traceback.print_exc()
        print(json.dumps((status, out.getvalue(), err.getvalue())), file=answers, flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()
