"""Sends the kernel what it must not choke on, and 200 fresh clients that must not miss an answer."""

import random
import socket
import time

import zmq
from jupyter_client.session import Session

from answer import give
from kernels import DEADLINE, kernel, outputs_of, reply_to, run

FRAMES = 10_000
CLIENTS = 200


def hostile_frames(session, random_source, good):
    """One multipart message that is wrong in some way."""
    junk = random_source.randbytes
    kind = random_source.randrange(9)
    if kind == 0:
        return [junk(random_source.randrange(1, 40))]
    if kind == 1:
        return [b"<IDS|MSG>"]
    if kind == 2:
        return good[: random_source.randrange(1, len(good))]
    if kind == 3:
        unsigned = list(good)
        unsigned[1] = b""
        return unsigned
    if kind == 4:
        changed = list(good)
        changed[random_source.randrange(2, 6)] = b"{}"
        return changed
    if kind == 5:
        return [b"<IDS|MSG>", junk(32).hex().encode(), b"{", b"}", b"\xff", junk(9)]
    if kind == 6:
        return good
    if kind == 7:
        parts = [b"{}", b"{}", b"{}", b"[]"]
        return [b"<IDS|MSG>", session.sign(parts), *parts]
    parts = [b'{"msg_type": 3}', b"null", b"{}", b'"text"']
    return [b"<IDS|MSG>", session.sign(parts), *parts]


def send_hostile(manager, client):
    """Sends wrong messages to every router; returns how often a replayed change was done."""
    random_source = random.Random(20240131)
    run(client, "create table replayed as select 1 as a")
    message = client.session.msg("execute_request", {
        "code": "insert into replayed values (2)", "silent": False, "store_history": False,
        "user_expressions": {}, "allow_stdin": False, "stop_on_error": True,
    })
    good = client.session.serialize(message)
    sockets = []
    for port in [manager.shell_port, manager.control_port, manager.stdin_port]:
        dealer = zmq.Context.instance().socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 5000)
        dealer.connect(f"tcp://{manager.ip}:{port}")
        sockets.append(dealer)
    # The shell runs the change once; the same message must not run again.
    sockets[0].send_multipart(good)
    assert sockets[0].poll(DEADLINE * 1000), "no reply to a good message"
    sockets[0].recv_multipart()
    for index in range(FRAMES):
        frames = hostile_frames(client.session, random_source, good)
        sockets[index % len(sockets)].send_multipart(frames)
    # Answered after all the others, since a socket keeps their order.
    info = client.session.msg("kernel_info_request", {})
    for dealer in sockets[:2]:
        dealer.send_multipart(client.session.serialize(info))
        info = client.session.msg("kernel_info_request", {})
    for dealer in sockets[:2]:
        while True:
            assert dealer.poll(DEADLINE * 1000), "the kernel does not answer any more"
            _, parts = client.session.feed_identities(dealer.recv_multipart())
            if client.session.deserialize(parts)["msg_type"] == "kernel_info_reply":
                break
    for dealer in sockets:
        dealer.close()
    for port in [manager.shell_port, manager.iopub_port, manager.hb_port]:
        for junk in [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b""]:
            with socket.create_connection((manager.ip, port)) as stream:
                stream.sendall(junk)
    _, messages = run(client, "select count(*) as n from replayed")
    data = messages[-1]["content"]["data"]["application/vnd.dataresource+json"]["data"]
    return data[0]["n"] - 1


def greet(manager):
    """A client that asks at once; says whether it heard busy and idle."""
    context = zmq.Context.instance()
    session = Session(key=manager.session.key)
    iopub = context.socket(zmq.SUB)
    shell = context.socket(zmq.DEALER)
    for each in (iopub, shell):
        each.setsockopt(zmq.LINGER, 0)
    iopub.setsockopt(zmq.SUBSCRIBE, b"")
    iopub.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
    shell.connect(f"tcp://{manager.ip}:{manager.shell_port}")
    message = session.send(shell, "kernel_info_request", {})
    identity = message["header"]["msg_id"]
    states = []
    end = time.monotonic() + DEADLINE
    try:
        assert shell.poll(DEADLINE * 1000), "no reply"
        while "idle" not in states and time.monotonic() < end:
            # What was lost does not come; what is late on a busy machine comes in this time.
            if not iopub.poll(15_000):
                return False
            _, parts = session.feed_identities(iopub.recv_multipart())
            found = session.deserialize(parts)
            if found["parent_header"].get("msg_id") == identity:
                states.append(found["content"].get("execution_state"))
        return states == ["busy", "idle"]
    finally:
        iopub.close()
        shell.close()


def outlast_a_reader_that_sleeps(manager, client):
    """Results go on while a subscriber reads nothing; returns how many came."""
    sleeper = zmq.Context.instance().socket(zmq.SUB)
    sleeper.setsockopt(zmq.LINGER, 0)
    sleeper.setsockopt(zmq.RCVHWM, 1)
    sleeper.setsockopt(zmq.RCVBUF, 4096)
    sleeper.setsockopt(zmq.SUBSCRIBE, b"")
    sleeper.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
    came = 0
    for _ in range(40):
        reply, messages = run(client, "select value, repeat('abc', 90) as t from range(1000)")
        came += messages[-1]["msg_type"] == "execute_result"
    sleeper.close()
    return came


with kernel() as (manager, client):
    changes = send_hostile(manager, client)
    heard = sum(greet(manager) for _ in range(CLIENTS))
    results = outlast_a_reader_that_sleeps(manager, client)
    alive = run(client, "select 1")[0]["status"]
give({"changes": changes, "heard": heard, "results": results, "alive": alive})
