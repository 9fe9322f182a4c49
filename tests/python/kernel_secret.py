"""A secret that the kernel asks for: used in cells, and looked for in every message."""

import json

from answer import give
from kernels import DEADLINE, kernel, outputs_of, reply_to, run

CANARY = "Canary'0xDEADBEEF/yellow"
TRACES = ["0xDEADBEEF", "yellow"]

CELLS = [
    "SELECT :'pw' AS shown",
    "SELECT 1 AS one WHERE 'x' <> :'pw'",
    "SELECT value FROM generate_series(1, 100000) WHERE 'x' <> :'pw'",
    "SELECT count(*) FROM _",
    "EXPLAIN SELECT * FROM generate_series(1, 9) AS s (v) WHERE CAST(v AS VARCHAR) = :'pw'",
    "SELECT CAST(:'pw' AS INT)",
    "SELECT sql FROM system.queries",
    "\\set",
    "\\echo :pw",
    # Typed a second time, it is still a secret.
    "SELECT 'Canary''0xDEADBEEF/yellow' AS typed",
    "SELEC 'Canary''0xDEADBEEF/yellow",
]


def main():
    leaks = []

    def look(what, message):
        text = json.dumps(message, default=str)
        if any(trace in text for trace in TRACES):
            leaks.append([what, text])

    with kernel() as (_, client):
        identity = client.execute("\\secret pw", allow_stdin=True)
        question = client.get_stdin_msg(timeout=DEADLINE)
        assert question["content"]["password"], question
        client.input(CANARY)
        look("\\secret", reply_to(client, identity))
        look("\\secret", outputs_of(client, identity))
        for cell in CELLS:
            reply, messages = run(client, cell)
            look(cell, reply)
            look(cell, messages)
        reply, messages = run(client, f"SELECT length(:'pw') = {len(CANARY)} AS same")
        same = any("true" in json.dumps(m["content"]) for m in messages)
        identity = client.history(hist_access_type="tail", n=100, raw=True, output=True)
        look("history", reply_to(client, identity))
        identity = client.complete("SELECT :p", 9)
        look("completion", reply_to(client, identity))
        identity = client.inspect("SELECT :pw", 9)
        look("inspection", reply_to(client, identity))
    give({"leaks": leaks, "rows": "ok" if same else "wrong"})


main()
