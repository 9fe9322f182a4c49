"""Teaches Papermill how lakesh takes parameters.

Put it where Python finds it and import it before `papermill.execute_notebook`:

    import papermill_lakesh
    papermill.execute_notebook("in.ipynb", "out.ipynb", parameters={"day": "2024-01-31"})

`lakesh run in.ipynb -o out.ipynb --param day=2024-01-31` does the same without Python.
"""

import shlex

from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators


class LakeshTranslator(Translator):
    """Writes parameters as `\\param` commands, which bind `$name` to typed values."""

    @classmethod
    def translate(cls, value):
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    @classmethod
    def assign(cls, name, text):
        quoted = f"{name}={text}".replace("'", "''")
        return f"\\param '{quoted}'"

    @classmethod
    def comment(cls, text):
        return f"-- {text}".strip()

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment)]
        for name, value in parameters.items():
            kind = "varchar" if isinstance(value, str) else None
            # A text stays a text, also where it looks like a number or a date.
            name = f"{name}:{kind}" if kind else name
            lines.append(cls.assign(name, cls.translate(value)))
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        """Lists the parameters that a cell has defaults for."""
        found = []
        for line in parameters_cell["source"].splitlines():
            command, _, rest = line.strip().partition(" ")
            if command not in ("\\param", "%param", ".param"):
                continue
            for word in shlex.split(rest):
                name, _, default = word.partition("=")
                name, _, kind = name.partition(":")
                found.append(Parameter(name, kind or "None", default, ""))
        return found


papermill_translators.register("sql", LakeshTranslator)
papermill_translators.register("lakesh", LakeshTranslator)
