"""Turns SQL files into C++ constants.

queries OUT FILE...     each block after `-- name: x` becomes `inline constexpr Query x`; the one after `-- part: y`
                        stands for {{y}} in the blocks of all files, in parts of its own file below it
migrations OUT FILE...  each NNNN_name.sql becomes an entry of kMigrations
"""
import pathlib
import re
import sys

DELIMITER = "sql_"


def literal(text: str) -> str:
    return f'R"{DELIMITER}({text}){DELIMITER}"'


def constant_name(name: str) -> str:
    return "k" + "".join(word.capitalize() for word in name.split("_"))


def filled(body: str, parts: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match.group(1)], body)


def statements(files: list[pathlib.Path]) -> list[tuple[str, str]]:
    """Name and text of each statement, as the server runs it."""
    parts: dict[str, str] = {}
    named: list[tuple[str, str]] = []
    for file in files:
        pieces = re.split(r"^-- (name|part): (\w+)\n", file.read_text(), flags=re.MULTILINE)
        for kind, name, body in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
            body = re.sub(r"^\s*--.*\n", "", body, flags=re.MULTILINE).strip()
            if kind == "name":
                named.append((name, body))
            else:
                assert name not in parts, f"two parts are called {name}"
                parts[name] = filled(body, parts)
    return [(name, filled(body, parts)) for name, body in named]


def queries(files: list[pathlib.Path]) -> str:
    return "\n".join(
        f'inline constexpr Query {constant_name(name)}{{"{name}", {literal(text)}}};' for name, text in statements(files)
    )


def migrations(files: list[pathlib.Path]) -> str:
    entries = []
    for file in sorted(files):
        number, name = file.stem.split("_", 1)
        entries.append(f'    Migration{{{int(number)}, "{name}", {literal(file.read_text())}}},')
    return (
        "inline constexpr Migration kMigrations[] = {\n" + "\n".join(entries) + "\n};"
    )


def main() -> None:
    kind, out, *names = sys.argv[1:]
    files = [pathlib.Path(name) for name in names]
    include = "server/db/query.h" if kind == "queries" else "server/db/migration.h"
    body = queries(files) if kind == "queries" else migrations(files)
    namespace = "forebay::server::queries" if kind == "queries" else "forebay::server"
    pathlib.Path(out).write_text(
        f'#pragma once\n\n#include "{include}"\n\nnamespace {namespace} {{\n\n{body}\n\n}}  // namespace {namespace}\n'
    )


if __name__ == "__main__":
    main()
