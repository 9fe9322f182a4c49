"""Installs a wheel in an environment of its own, and uses what it brought as a person would."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from answer import give

wheel = Path(sys.argv[1])
environment = Path("environment").resolve()
venv.create(environment, with_pip=True)
python = environment / "bin/python"
program = environment / "bin/lakesh"


def output(*words, **options):
    run = subprocess.run(words, stdout=subprocess.PIPE, text=True, **options)
    assert run.returncode == 0, f"{words} ended with {run.returncode}"
    return run.stdout


answer = {}
output(python, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel)
answer["rows"] = output(program, "--format", "csv", "-c", "select 1 as a")
answer["page"] = (environment / "share/man/man1/lakesh.1").is_file()

# What Jupyter is at its smallest, without asking PyPI: the modules that the tests have anyway.
packages = output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
Path(packages, "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
kernels = json.loads(output(python, "-m", "jupyter_client.kernelspecapp", "list", "--json"))
found = kernels["kernelspecs"]["lakesh"]
answer["kernel_is_inside"] = Path(found["resource_dir"]).is_relative_to(environment)
answer["specification"] = found["spec"]

# The environment is not activated: its programs are not on the path.
assert str(environment) not in os.environ["PATH"]
script = """
import json
from kernels import kernel, run, texts
with kernel() as (manager, client):
    reply, messages = run(client, "select 6 * 7 as answer")
    command = manager.format_kernel_cmd()[0]
    print(json.dumps([reply["status"], "42" in texts(messages)[0], command]))
"""
scripts = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
status, is_right, command = json.loads(output(python, "-c", script, env=scripts))
answer["kernel"] = [status, is_right, os.path.samefile(command, program)]
give(answer)
