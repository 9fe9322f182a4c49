"""Talks to a kernel over sockets that are files: it runs, is killed, restarts and leaves nothing behind."""

import os
import tempfile
import time

from answer import give
from kernels import DEADLINE, kernel, run, texts

answer = {}
# A socket's path has room for about a hundred letters.
with tempfile.TemporaryDirectory(dir="/tmp") as folder:
    with kernel(transport="ipc", ip=f"{folder}/k") as (manager, client):
        sockets = sorted(name for name in os.listdir(folder) if name.startswith("k-"))
        answer["sockets"] = len(sockets)
        reply, messages = run(client, "select 6 * 7 as answer")
        answer["answer"] = [reply["status"], "42" in texts(messages)[0]]

        # The killed one leaves its files to the next, which is given the same names.
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=DEADLINE)
        reply, messages = run(client, "select 1 as a")
        answer["restarted"] = [reply["status"], reply["execution_count"]]

        client.shutdown()
        end = time.monotonic() + DEADLINE
        while manager.is_alive():
            assert time.monotonic() < end, "it does not end"
            time.sleep(0.02)
        answer["left"] = sorted(name for name in os.listdir(folder) if name.startswith("k-"))
give(answer)
