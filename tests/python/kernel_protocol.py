"""Checks the kernel's protocol message by message; each check has a line in the answer."""

import os
import signal
import subprocess
import sys
import time
import traceback

import polars
import pyarrow.feather
import zmq

from answer import give
from kernels import DEADLINE, kernel, outputs_of, reply_to, run, texts

#: A query that runs for minutes and must be stopped.
ENDLESS = "select count(*) from range(2000000000) a, range(2000000000) b where a.value % 7 = b.value % 5"

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@check
def the_heartbeat_echoes(manager, client):
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(f"tcp://{manager.ip}:{manager.hb_port}")
    for _ in range(3):
        socket.send(b"ping")
        assert socket.poll(DEADLINE * 1000), "no beat"
        socket.recv()
    socket.close()


@check
def a_subscriber_is_welcomed(manager, client):
    for topic in [b"", b"kernel."]:
        socket = zmq.Context.instance().socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SUBSCRIBE, topic)
        socket.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
        assert socket.poll(DEADLINE * 1000), "no welcome"
        identities, parts = client.session.feed_identities(socket.recv_multipart())
        message = client.session.deserialize(parts)
        assert message["msg_type"] == "iopub_welcome", message["msg_type"]
        assert message["content"]["subscription"] == topic.decode()
        assert not message["parent_header"]
        socket.close()


@check
def kernel_info_is_complete(manager, client):
    for channel in ["shell", "control"]:
        if channel == "shell":
            identity = client.kernel_info()
        else:
            message = client.session.msg("kernel_info_request", {})
            client.control_channel.send(message)
            identity = message["header"]["msg_id"]
        content = reply_to(client, identity, channel)["content"]
        outputs_of(client, identity)
        assert content["status"] == "ok"
        assert content["protocol_version"].startswith("5."), content
        assert content["implementation"] == "lakesh"
        assert content["language_info"]["name"] == "sql"
        assert content["language_info"]["file_extension"] == ".sql"
        assert content["banner"]


@check
def busy_comes_first_and_idle_last(manager, client):
    requests = [
        client.execute("select 1"),
        client.complete("sel", 3),
        client.inspect("abs", 1),
        client.is_complete("select 1"),
        client.history(hist_access_type="tail", n=1),
        client.comm_info(),
        client.kernel_info(),
    ]
    for identity in requests:
        reply = reply_to(client, identity)
        messages = outputs_of(client, identity)
        states = [m["content"].get("execution_state") for m in messages]
        assert states[0] == "busy" and states[-1] == "idle", states
        assert states[1:-1] == [None] * (len(states) - 2), states
        for message in messages + [reply]:
            assert message["parent_header"]["msg_id"] == identity
            assert message["header"]["session"] != client.session.session
            assert message["header"]["version"].startswith("5.")


@check
def inputs_are_told_with_their_count(manager, client):
    counts = []
    for code in ["select 1", "select 2"]:
        reply, messages = run(client, code)
        kinds = [m["msg_type"] for m in messages]
        assert kinds == ["execute_input", "execute_result"], kinds
        assert messages[0]["content"]["code"] == code
        found = {m["content"]["execution_count"] for m in messages} | {reply["execution_count"]}
        assert len(found) == 1, found
        counts += found
    assert counts[1] == counts[0] + 1, counts


@check
def silence_is_kept(manager, client):
    before = run(client, "select 1")[0]["execution_count"]
    reply, messages = run(client, "select 1", silent=True)
    assert reply["status"] == "ok" and not messages, messages
    reply, messages = run(client, "select 'unkept'", store_history=False)
    assert reply["status"] == "ok"
    assert [m["msg_type"] for m in messages] == ["execute_input", "execute_result"]
    assert run(client, "select 1")[0]["execution_count"] == before + 1


@check
def nothing_is_something(manager, client):
    for code in ["", "  \n", "-- only a comment", "/* a; b */", ";;"]:
        reply, messages = run(client, code)
        assert reply["status"] == "ok", (code, reply)
        assert [m["msg_type"] for m in messages] == ["execute_input"], code


@check
def a_cell_holds_many_statements(manager, client):
    code = """
        create or replace view cell_view as select 1 as a, 'x;y' as b; -- a ; here
        select a from cell_view;
        \\echo between
        select '[:2]' as slice, map {'k': 1} as json_like;
        select b from cell_view
    """
    reply, messages = run(client, code)
    assert reply["status"] == "ok", reply
    kinds = [m["msg_type"] for m in messages]
    assert kinds == [
        "execute_input", "stream", "display_data", "stream", "display_data", "execute_result",
    ], kinds
    shown = texts(messages)
    assert "between" in shown[2] and "[:2]" in shown[3] and "x;y" in shown[4], shown


@check
def commands_have_percent_spellings(manager, client):
    for code in ["\\echo same", "%echo same", "%%echo same", ".echo same", ".print same"]:
        reply, messages = run(client, code)
        assert texts(messages) == ["same\n"], (code, messages)


@check
def commands_go_over_several_lines(manager, client):
    for code in ["\\param first=1 \\\n  second=two \\\n  'third=a b'\n", "%%param first=1\nsecond=two\n'third=a b'\n", "\\param first=1\n\\param second=two\n\\param 'third=a b'\n"]:
        reply, _ = run(client, code)
        assert reply["status"] == "ok", (code, reply)
        _, messages = run(client, "select $first + 1 as a, $second as b, $third as c")
        rows = messages[-1]["content"]["data"]["application/vnd.dataresource+json"]["data"]
        assert rows == [{"a": 2, "b": "two", "c": "a b"}], (code, rows)
        run(client, "\\param first=9 second=x third=y")
    _, messages = run(client, "%%chart bar x=kind y=n\nselect value % 3 as kind, value as n\n\nfrom range(10); -- the end")
    assert len(messages[-1]["content"]["data"]["application/vnd.vegalite.v5+json"]["data"]["values"]) == 3
    # Where the lines end that are joined, the next statement begins.
    _, messages = run(client, "\\echo one \\\ntwo\nselect 3 as three")
    assert texts(messages)[0].split() == ["one", "two"] and "three" in texts(messages)[1], messages


@check
def an_error_stops_the_cell_and_points_at_its_place(manager, client):
    reply, messages = run(client, "select 1;\nselect nothing_here\n  from range(3);\nselect 2")
    assert reply["status"] == "error"
    assert reply["ename"] == "PlanError", reply
    assert "`nothing_here` not found (line 2)" in reply["evalue"], reply
    assert [m["msg_type"] for m in messages] == ["execute_input", "display_data", "error"]
    error = messages[-1]["content"]
    assert error["traceback"] == reply["traceback"] and error["evalue"] == reply["evalue"]
    trace = "\n".join(error["traceback"])
    assert "^" in trace and "select nothing_here" in trace, trace
    assert not any(line.endswith("\n") for line in error["traceback"])


@check
def an_error_cell_has_one_output(manager, client):
    for code in ["selec 1", "select 1/0", "select * from no_table", "\\no_command", "select 'open"]:
        reply, messages = run(client, code)
        assert reply["status"] == "error", code
        assert [m["msg_type"] for m in messages] == ["execute_input", "error"], (code, messages)


@check
def cells_behind_an_error_do_not_run(manager, client):
    # The first cell is slow, so that all of them have arrived when it fails.
    requests = [
        client.execute("select sum(value) from range(30000000); select no_column"),
        client.execute("create table must_not_be as select 1 as a"),
        client.execute("select 1"),
    ]
    states = []
    for identity in requests:
        states.append(reply_to(client, identity)["content"]["status"])
        outputs_of(client, identity)
    assert states == ["error", "aborted", "aborted"], states
    assert run(client, "select * from must_not_be")[0]["status"] == "error"


@check
def cells_run_on_where_that_is_wanted(manager, client):
    requests = [
        client.execute("select no_column", stop_on_error=False),
        client.execute("select 1"),
    ]
    states = []
    for identity in requests:
        states.append(reply_to(client, identity)["content"]["status"])
        outputs_of(client, identity)
    assert states == ["error", "ok"], states


@check
def user_expressions_are_evaluated(manager, client):
    wanted = {"sum": "1 + 1", "rows": "select 'a' as x", "bad": "nothing_here + 1"}
    reply, _ = run(client, "\\set x 1", user_expressions=wanted)
    found = reply["user_expressions"]
    assert "2" in found["sum"]["data"]["text/plain"], found
    assert found["rows"]["status"] == "ok" and found["bad"]["status"] == "error", found
    assert found["bad"]["ename"] == "PlanError"


@check
def text_goes_to_its_stream(manager, client):
    _, messages = run(client, "\\echo out\n\\warn beside")
    streams = [(m["content"]["name"], m["content"]["text"]) for m in messages[1:]]
    assert streams == [("stdout", "out\n"), ("stderr", "beside\n")], streams


@check
def output_is_cleared(manager, client):
    _, messages = run(client, "\\echo gone\n\\clear\n\\echo here")
    kinds = [m["msg_type"] for m in messages[1:]]
    assert kinds == ["stream", "clear_output", "stream"], kinds
    assert messages[2]["content"]["wait"] is False


@check
def help_goes_to_the_pager(manager, client):
    reply, messages = run(client, "\\help \\timing")
    page = reply["payload"][0]
    assert page["source"] == "page" and "\\timing" in page["data"]["text/plain"], reply
    assert [m["msg_type"] for m in messages] == ["execute_input"]


def completed(client, marked):
    cursor = marked.index("|")
    identity = client.complete(marked.replace("|", ""), cursor)
    content = reply_to(client, identity)["content"]
    outputs_of(client, identity)
    return content


@check
def names_are_completed(manager, client):
    run(client, "create or replace view trips as select 1 as distance_km, 'ü' as \"Größe\"")
    cases = [
        ("select t.dis| from trips t", "distance_km", 9),
        ("select 'ü', t.| from trips t", '"Größe"', 14),
        ("select * from tri|", "trips", 14),
        ("selec|", "select", 0),
        ("\\timi|", "timing", 1),
        ("set lakesh.notebook|", "lakesh.notebook_rows", 4),
        ("select 1;\n%maxr|", "maxrows", 11),
    ]
    for marked, expected, start in cases:
        content = completed(client, marked)
        assert content["status"] == "ok"
        assert expected in content["matches"], (marked, content)
        assert content["cursor_start"] == start, (marked, content)
        assert content["cursor_end"] == marked.index("|"), (marked, content)
    content = completed(client, "select t.dis| from trips t")
    types = content["metadata"]["_jupyter_types_experimental"]
    assert types[0]["type"] == "BIGINT", types
    assert completed(client, "select '💥' as x, zzzz|")["matches"] == []


@check
def names_are_inspected(manager, client):
    run(client, "create table if not exists stock as select value as id, 'a' as name from range(7)")
    cases = [
        ("select * from st|ock", ["table stock", "delta", "version", "7", "id", "BIGINT"]),
        ("select ab|s(1)", ["function abs", "abs("]),
        ("select abs(|", ["function abs"]),
        ("select na|me from stock", ["column name", "VARCHAR"]),
        ("set lakesh.notebook_ro|ws = 5", ["setting lakesh.notebook_rows", "1000"]),
        ("\\tim|ing", ["command \\timing"]),
    ]
    for marked, expected in cases:
        cursor = marked.index("|")
        identity = client.inspect(marked.replace("|", ""), cursor)
        content = reply_to(client, identity)["content"]
        outputs_of(client, identity)
        assert content["found"], marked
        for text in expected:
            assert text in content["data"]["text/plain"], (marked, text, content)
        assert "<" in content["data"]["text/html"]
    identity = client.inspect("select 1 +  2", 10)
    content = reply_to(client, identity)["content"]
    outputs_of(client, identity)
    assert content["status"] == "ok" and content["found"] is False and content["data"] == {}


@check
def finished_text_is_known(manager, client):
    cases = [
        ("select 1;", "complete"),
        ("select (1", "incomplete"),
        ("select 'a", "incomplete"),
        ("\\dt", "complete"),
        ("", "complete"),
    ]
    for code, expected in cases:
        identity = client.is_complete(code)
        content = reply_to(client, identity)["content"]
        outputs_of(client, identity)
        assert content["status"] == expected, (code, content)


@check
def history_is_kept(manager, client):
    run(client, "select 'kept in history'")
    run(client, "create secret s (type s3, secret 'hidden')")
    cases = [
        {"hist_access_type": "tail", "n": 3},
        {"hist_access_type": "search", "pattern": "*kept in*", "n": 5},
        {"hist_access_type": "range", "session": 0, "start": 0, "stop": 10_000},
    ]
    for request in cases:
        message = client.session.msg("history_request", request)
        client.shell_channel.send(message)
        identity = message["header"]["msg_id"]
        content = reply_to(client, identity)["content"]
        outputs_of(client, identity)
        inputs = [entry[2] for entry in content["history"]]
        assert "select 'kept in history'" in inputs, (request, content)
        assert not any("hidden" in text for text in inputs), content
    client.history(output=True, hist_access_type="tail", n=1)


@check
def comms_without_a_target_are_closed(manager, client):
    identity = client.comm_info()
    content = reply_to(client, identity)["content"]
    outputs_of(client, identity)
    assert content == {"status": "ok", "comms": {}}, content
    message = client.session.msg("comm_open", {"comm_id": "c1", "target_name": "no", "data": {}})
    client.shell_channel.send(message)
    messages = outputs_of(client, message["header"]["msg_id"])
    close = [m for m in messages if m["msg_type"] == "comm_close"]
    assert close and close[0]["content"]["comm_id"] == "c1", messages
    for kind in ["comm_msg", "comm_close"]:
        message = client.session.msg(kind, {"comm_id": "c1"})
        client.shell_channel.send(message)
        outputs_of(client, message["header"]["msg_id"])


@check
def questions_are_asked(manager, client):
    for command, secret in [("\\prompt who 'your name?'", False), ("\\secret who", True)]:
        identity = client.execute(f"{command}\nselect :'who' as who", allow_stdin=True)
        question = client.get_stdin_msg(timeout=DEADLINE)
        assert question["msg_type"] == "input_request"
        assert question["content"]["password"] is secret, question["content"]
        assert question["parent_header"]["msg_id"] == identity
        # What was a secret once is one wherever it stands, so the answers differ.
        answer = "it's hidden" if secret else "it's me"
        client.input(answer)
        content = reply_to(client, identity)["content"]
        messages = outputs_of(client, identity)
        assert content["status"] == "ok", content
        # What was asked for in secret is used and not shown.
        shown, hidden = ("***", answer) if secret else (answer, "***")
        assert any(shown in text for text in texts(messages)), messages
        assert not any(hidden in text for text in texts(messages)), messages
    reply, _ = run(client, "\\prompt who", allow_stdin=False)
    assert reply["status"] == "error" and "nobody is there" in reply["evalue"], reply


@check
def a_query_is_interrupted(manager, client):
    for stop in ["message", "signal"]:
        identity = client.execute(ENDLESS)
        while True:
            message = client.get_iopub_msg(timeout=DEADLINE)
            ours = message["parent_header"].get("msg_id") == identity
            if ours and message["msg_type"] == "execute_input":
                break
        begin = time.monotonic()
        if stop == "message":
            message = client.session.msg("interrupt_request", {})
            client.control_channel.send(message)
            reply = reply_to(client, message["header"]["msg_id"], "control")
            assert reply["content"]["status"] == "ok"
        else:
            os.kill(manager.provisioner.pid, signal.SIGINT)
        reply = reply_to(client, identity)["content"]
        took = time.monotonic() - begin
        assert reply["status"] == "error" and reply["ename"] == "Interrupted", reply
        # A second on an idle machine; this one may be busy.
        assert took < 20, took
        outputs_of(client, identity)
    reply, messages = run(client, "select count(*) from trips")
    assert reply["status"] == "ok", "the session is gone"


@check
def a_question_is_interrupted(manager, client):
    identity = client.execute("\\prompt who", allow_stdin=True)
    client.get_stdin_msg(timeout=DEADLINE)
    message = client.session.msg("interrupt_request", {})
    client.control_channel.send(message)
    reply_to(client, message["header"]["msg_id"], "control")
    assert reply_to(client, identity)["content"]["status"] == "error"
    outputs_of(client, identity)
    questions_are_asked(manager, client)


@check
def unknown_requests_are_answered(manager, client):
    for channel, kind, content in [
        ("shell", "strange_request", {}),
        ("shell", "execute_request", {"no_code": 1}),
        ("control", "debug_request", {}),
    ]:
        message = client.session.msg(kind, content)
        getattr(client, f"{channel}_channel").send(message)
        reply = reply_to(client, message["header"]["msg_id"], channel)
        assert reply["msg_type"] == kind.replace("_request", "_reply")
        assert reply["content"]["status"] == "error", reply["content"]
        outputs_of(client, message["header"]["msg_id"])


@check
def data_is_escaped(manager, client):
    code = """select '<script>alert(1)</script>' as "<b onmouseover=x>", '"&' as b"""
    _, messages = run(client, code)
    html = messages[-1]["content"]["data"]["text/html"]
    assert "<script" not in html and "<b onmouseover" not in html, html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html and "&lt;b onmouseover" in html
    identity = client.inspect(code.replace('"<b onmouseover=x>"', "x"), 3)
    reply_to(client, identity)
    outputs_of(client, identity)


@check
def results_come_in_three_forms(manager, client):
    code = "select 1 as n, 'a' as t, true as b, date '2024-01-31' as d, null as x union all select 2, 'b', false, null, null order by 1"
    _, messages = run(client, code)
    content = messages[-1]["content"]
    data = content["data"]
    assert set(data) == {"text/html", "text/plain", "application/vnd.dataresource+json"}
    table = data["application/vnd.dataresource+json"]
    kinds = {field["name"]: field["type"] for field in table["schema"]["fields"]}
    assert kinds["n"] == "integer" and kinds["b"] == "boolean" and kinds["d"] == "date", kinds
    assert table["data"][0]["t"] == "a" and table["data"][1]["x"] is None
    html = data["text/html"]
    assert 'class="null">NULL<' in html and "text-align:right" in html and "<small" in html
    assert "2 rows" in html and "2 rows" in data["text/plain"]
    facts = content["metadata"]["lakesh"]
    assert facts["sql"] == code and facts["complete"] and facts["rows"] == 2, facts


@check
def many_rows_are_cut_and_said_so(manager, client):
    begin = time.monotonic()
    _, messages = run(client, "select value from range(100000000)")
    took = time.monotonic() - begin
    content = messages[-1]["content"]
    assert "first 1,000 rows; more exist" in content["data"]["text/html"]
    assert len(content["data"]["application/vnd.dataresource+json"]["data"]) == 1000
    assert content["metadata"]["lakesh"]["complete"] is False
    assert took < 20, took
    _, messages = run(client, "set lakesh.notebook_rows = 5; select value from range(5)")
    assert "5 rows" in messages[-1]["content"]["data"]["text/plain"]
    _, messages = run(client, "select value from range(6)")
    content = messages[-1]["content"]
    assert "first 5 rows; more exist" in content["data"]["text/plain"], content
    assert content["metadata"]["lakesh"]["settings"] == {"lakesh.notebook_rows": "5"}
    run(client, "reset lakesh.notebook_rows")


@check
def wide_rows_stay_small(manager, client):
    columns = ", ".join(f"repeat('x{i}', 40) as c{i}" for i in range(60))
    _, messages = run(client, f"select value, {columns} from range(5000)")
    content = messages[-1]["content"]
    size = sum(len(str(value)) for value in content["data"].values())
    assert size < 1_000_000, size
    assert "more exist" in content["data"]["text/html"]
    _, messages = run(client, "select repeat('x', 3000000) as huge")
    size = sum(len(str(value)) for value in messages[-1]["content"]["data"].values())
    assert size < 1_000_000, size


@check
def earlier_results_are_tables(manager, client):
    run(client, "create table if not exists versions as select 1 as v")
    run(client, "set lakesh.notebook_rows = 2")
    run(client, "select 41 + 1 as answer")
    _, messages = run(client, "select answer + 1 as more from _")
    assert "43" in texts(messages)[-1], messages
    _, messages = run(client, "select a.more, b.value from _ a, range(3) b")
    assert "more exist" in texts(messages)[-1]
    _, messages = run(client, "select count(*) as n, max(more) as m from _")
    assert "3" in texts(messages)[-1] and "43" in texts(messages)[-1], texts(messages)
    # A result that was cut is read again in the versions of its first run.
    run(client, "insert into versions values (2), (3)")
    run(client, "select v from versions")
    run(client, "delete from versions where v > 1")
    _, messages = run(client, "select sum(v) as total from _")
    assert "6" in texts(messages)[-1], texts(messages)
    run(client, "reset lakesh.notebook_rows")


@check
def versions_are_recorded(manager, client):
    run(client, "create table if not exists recorded as select 1 as a")
    run(client, "insert into recorded values (2)")
    _, messages = run(client, "select * from recorded")
    tables = messages[-1]["content"]["metadata"]["lakesh"]["tables"]
    assert [table["version"] for table in tables] == [1], tables
    assert "recorded" in tables[0]["location"], tables


@check
def results_are_saved(manager, client):
    run(client, "select value as n, value * 2 as m from range(100000)")
    reply, _ = run(client, "\\save result.arrow")
    assert reply["status"] == "ok", reply
    table = pyarrow.feather.read_table("result.arrow")
    assert table.num_rows == 100_000 and max(table["m"].to_pylist()) == 199_998
    frame = polars.read_ipc("result.arrow")
    assert frame["n"].sum() == sum(range(100_000)) and frame["m"].max() == 199_998
    reply, messages = run(client, "\\o kept.csv\nselect 1 as a; select 2 as b\n;\\o\nselect 3 as c")
    assert reply["status"] == "ok", reply
    assert open("kept.csv").read() == "a\n1\n\nb\n2\n", open("kept.csv").read()
    assert "3" in texts(messages)[-1]


@check
def charts_are_drawn(manager, client):
    run(client, "select value % 3 as g, value as n from range(90)")
    reply, messages = run(client, "\\chart bar x=g y=n\n%chart line x=range y=range FROM range(9)")
    assert reply["status"] == "ok", reply
    charts = [m for m in messages if m["msg_type"] == "display_data"]
    assert len(charts) == 2, messages
    data = charts[0]["content"]["data"]
    values = data["application/vnd.vegalite.v5+json"]["data"]["values"]
    assert [row["y"] for row in values] == [1305, 1335, 1365], values
    assert data["image/svg+xml"].startswith("<svg") and "█" in data["text/plain"]
    reply, _ = run(client, "\\chart pie x=g")
    assert reply["status"] == "error" and "kind of chart" in reply["evalue"], reply


@check
def plans_are_drawn(manager, client):
    query = "select b.value % 3 as \"<g>\", count(*) from range(1000) a join range(50) b on a.value = b.value group by 1"
    for words, said in [("explain", "rows, estimated"), ("explain analyze", "time over all threads")]:
        _, messages = run(client, f"{words} {query}")
        data = messages[-1]["content"]["data"]
        picture = data["image/svg+xml"]
        assert picture.startswith("<svg ") and said in picture, picture
        assert ">HashJoin</text>" in picture and "<script" not in picture and "<g>" not in picture, picture
        assert data["text/html"].startswith("<svg ") and "<details>" in data["text/html"]
        assert "HashJoinExec" in data["text/plain"], data["text/plain"]
    # Whoever asks for a text of a certain form gets it.
    _, messages = run(client, f"explain format tree {query}")
    assert "image/svg+xml" not in messages[-1]["content"]["data"]


@check
def hints_are_cards(manager, client):
    query = "select distinct value % 3 as \"<g>\", count(*) as n from range(1000) group by value % 3"
    _, messages = run(client, f"explain hints {query}")
    page = messages[-1]["content"]["data"]["text/html"]
    assert page.startswith('<div class="lakesh-hints">') and "redundant-distinct" in page, page
    assert "&lt;g&gt;" in page and "<g>" not in page and "<details>" in page, page
    _, messages = run(client, "explain hints select 1")
    assert "no hints" in messages[-1]["content"]["data"]["text/html"]


@check
def profiles_and_drift_are_drawn(manager, client):
    run(client, "create view skewed as select value as n, value % 3 as few, 'a' || (value % 2) as kind from range(300)")
    _, messages = run(client, "select * from feature_profile('skewed')")
    assert [m["msg_type"] for m in messages][1:] == ["execute_result", "display_data"], messages
    data = messages[-1]["content"]["data"]
    charts = data["application/vnd.vegalite.v5+json"]["concat"]
    assert [chart["title"]["text"] for chart in charts] == ["n", "few", "kind"], charts
    assert len(charts[0]["data"]["values"]) == 20 and data["image/svg+xml"].startswith("<svg ")
    # Only the columns that the result names.
    _, messages = run(client, "select column_name, mean from feature_profile('skewed') where column_name = 'few'")
    assert len(messages[-1]["content"]["data"]["application/vnd.vegalite.v5+json"]["concat"]) == 1
    _, messages = run(client, "select count(*) from feature_profile('skewed')")
    assert messages[-1]["msg_type"] == "execute_result", messages
    _, messages = run(client, "drift (select n from skewed where n > 100) against (select n from skewed)")
    data = messages[-1]["content"]["data"]
    values = data["application/vnd.vegalite.v5+json"]["concat"][0]["data"]["values"]
    assert {value["table"] for value in values} == {"reference", "current"}, values
    assert "psi" in data["text/plain"], data


@check
def the_catalog_is_shared_and_survives_a_kill(manager, client):
    program = manager.kernel_spec.argv[0]
    made = "create table of_the_terminal as select 3 as a"
    subprocess.run([program, "-c", made], check=True, capture_output=True)
    _, messages = run(client, "select a from of_the_terminal; create table survivor as select 4 as a")
    assert "3" in texts(messages)[0], messages
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=DEADLINE)
    reply, messages = run(client, "select a from survivor")
    assert reply["status"] == "ok" and reply["execution_count"] == 1, reply
    assert "4" in texts(messages)[0], messages
    found = subprocess.run([program, "-c", "select a from survivor"], check=True, capture_output=True)
    assert b"4" in found.stdout, found


@check
def a_kernel_is_told_to_end(manager, client):
    message = client.session.msg("shutdown_request", {})
    client.control_channel.send(message)
    reply = reply_to(client, message["header"]["msg_id"], "control")
    assert reply["content"] == {"status": "ok", "restart": False}, reply["content"]
    end = time.monotonic() + DEADLINE
    while manager.is_alive():
        assert time.monotonic() < end, "it does not end"
        time.sleep(0.02)


answer = {}
with kernel() as (manager, client):
    for function in CHECKS:
        try:
            function(manager, client)
            answer[function.__name__] = "ok"
        except Exception:
            answer[function.__name__] = traceback.format_exc()
            print(f"{function.__name__}: {answer[function.__name__]}", file=sys.stderr)
give(answer)
