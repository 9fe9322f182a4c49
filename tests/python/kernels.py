"""Starts the kernel that is installed for a test, and talks to it; shared by the kernel scripts."""

import queue
import time
from contextlib import contextmanager

from jupyter_client.manager import KernelManager

#: A busy machine is slow; a lost message takes forever.
DEADLINE = 90


@contextmanager
def kernel(**options):
    """A kernel with its client, ready to be asked."""
    manager = KernelManager(kernel_name="lakesh", **options)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def reply_to(client, message_id, channel="shell"):
    """Waits for the reply to a request on a channel."""
    end = time.monotonic() + DEADLINE
    while True:
        get = getattr(client, f"get_{channel}_msg")
        message = get(timeout=max(0.1, end - time.monotonic()))
        if message["parent_header"].get("msg_id") == message_id:
            return message


def outputs_of(client, message_id, until_idle=True):
    """Collects the messages on iopub that belong to a request, to its idle."""
    messages = []
    end = time.monotonic() + DEADLINE
    while True:
        try:
            message = client.get_iopub_msg(timeout=max(0.1, end - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"no idle; so far: {[m['msg_type'] for m in messages]}")
        if message["parent_header"].get("msg_id") != message_id:
            continue
        messages.append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return messages


def run(client, code, **options):
    """Executes a cell; returns its reply's content and its messages without the states."""
    message_id = client.execute(code, **options)
    reply = reply_to(client, message_id)
    messages = outputs_of(client, message_id)
    return reply["content"], [m for m in messages if m["msg_type"] != "status"]


def texts(messages):
    """The plain texts of results and streams."""
    found = []
    for message in messages:
        content = message["content"]
        if "data" in content:
            found.append(content["data"]["text/plain"])
        elif message["msg_type"] == "stream":
            found.append(content["text"])
    return found
