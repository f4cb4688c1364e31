#!/usr/bin/env python3
"""Statistics of a git clone: commits by author and month, files and lines by language, biggest files.

As a flow run it reads its parameters from FOREBAY_PARAMETERS: `path` (the clone, default the working directory) and
`top` (rows per table; when it is not given, the environment variable TOP, else 10). By hand:

    python3 examples/repo_stats.py [PATH] [TOP]

Needs git and nothing beyond the standard library.
"""

import collections
import json
import os
import subprocess
import sys

LANGUAGES = {
    ".c": "C", ".h": "C/C++ header", ".cc": "C++", ".cpp": "C++", ".cxx": "C++", ".hpp": "C/C++ header",
    ".cmake": "CMake", ".css": "CSS", ".go": "Go", ".html": "HTML", ".java": "Java", ".js": "JavaScript",
    ".json": "JSON", ".md": "Markdown", ".proto": "Protocol Buffers", ".py": "Python", ".rb": "Ruby", ".rs": "Rust",
    ".sh": "Shell", ".sql": "SQL", ".svelte": "Svelte", ".toml": "TOML", ".ts": "TypeScript", ".tsx": "TypeScript",
    ".txt": "Text", ".yaml": "YAML", ".yml": "YAML",
}
NAMED_FILES = {"CMakeLists.txt": "CMake", "Dockerfile": "Dockerfile", "Makefile": "Make"}
INTERPRETERS = {"python": "Python", "sh": "Shell", "bash": "Shell", "perl": "Perl", "node": "JavaScript"}


class NoClone(Exception):
    """The path is not a git clone that can be read."""


def parameters(argv, environ):
    """The parameters of the run, else of the command line: (path, top)."""
    given = json.loads(environ.get("FOREBAY_PARAMETERS") or "{}")
    if not isinstance(given, dict):
        raise ValueError("FOREBAY_PARAMETERS must hold a JSON object")
    path = given.get("path", argv[1] if len(argv) > 1 else ".")
    top = given.get("top", argv[2] if len(argv) > 2 else environ.get("TOP", 10))
    if not isinstance(path, str):
        raise ValueError(f"path must be text, not {path!r}")
    try:
        top = int(top)
    except (TypeError, ValueError):
        raise ValueError(f"top must be a whole number, not {top!r}") from None
    if top < 1:
        raise ValueError(f"top must be at least 1, not {top}")
    return path, top


def git(path, *arguments):
    """Output of git in the clone, as bytes."""
    command = ["git", "-C", path, *arguments]
    # A clone that another user owns, e.g. read by a worker that is root, is only read here: trust it for this call.
    environment = dict(os.environ, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
    environment["LC_ALL"] = "C"
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, check=False)
    except FileNotFoundError:
        raise NoClone("git is not installed") from None
    if done.returncode != 0:
        raise NoClone(done.stderr.decode("utf-8", "replace").strip() or f"git ended with {done.returncode}")
    return done.stdout


def commits(path):
    """(author, "2024-03") of each commit, newest first; none in a clone without commits."""
    if not git(path, "rev-list", "-n", "1", "--all"):
        return []
    log = git(path, "log", "--use-mailmap", "--format=%aN%x09%ad", "--date=format:%Y-%m")
    lines = log.decode("utf-8", "replace").splitlines()
    return [tuple(line.rsplit("\t", 1)) for line in lines if "\t" in line]


def language(name, head):
    """What the file is written in, by its name or its first line."""
    base = os.path.basename(name)
    if base in NAMED_FILES:
        return NAMED_FILES[base]
    extension = os.path.splitext(base)[1].lower()
    if extension in LANGUAGES:
        return LANGUAGES[extension]
    if head.startswith(b"#!"):
        words = head.splitlines()[0][2:].decode("ascii", "replace").replace("/env ", "/").split()
        program = os.path.basename(words[0]).rstrip("0123456789.") if words else ""
        return INTERPRETERS.get(program, "Other")
    return "Other"


def files(path):
    """(name, bytes, lines, language) of each tracked file; lines is None for a binary one."""
    root = git(path, "rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").rstrip("\n")
    found = []
    for raw in git(root, "ls-files", "-z").split(b"\0"):
        name = os.fsdecode(raw)
        full = os.path.join(root, name)
        if not name or os.path.islink(full) or not os.path.isfile(full):
            continue
        try:
            with open(full, "rb") as file:
                content = file.read()
        except OSError as error:
            print(f"skipped {shown(name)}: {error.strerror}", file=sys.stderr)
            continue
        binary = b"\0" in content[:8192]
        lines = None if binary else content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
        found.append((name, len(content), lines, "Binary" if binary else language(name, content[:256])))
    return found


def shown(name):
    """A file name that is safe to print."""
    return name.encode("utf-8", "replace").decode("utf-8")


def table(title, header, rows):
    """Prints rows of (text, number, …) under a header."""
    print(f"\n{title}")
    if not rows:
        print("  none")
        return
    cells = [header] + [[shown(str(row[0]))] + [f"{number:,}" for number in row[1:]] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        numbers = "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:]))
        print(f"  {row[0]:<{widths[0]}}{numbers}")


def report(path, top):
    """Prints all tables."""
    history = commits(path)
    tree = files(path)
    lines = sum(entry[2] or 0 for entry in tree)
    print(f"{os.path.abspath(path)}: {len(history):,} commits, {len(tree):,} files, {lines:,} lines")

    authors = collections.Counter(author for author, _ in history)
    table("Commits by author", ["author", "commits"], authors.most_common(top))

    months = collections.Counter(month for _, month in history)
    table("Commits by month, latest first", ["month", "commits"], sorted(months.items(), reverse=True)[:top])

    languages = collections.defaultdict(lambda: [0, 0])
    for _, _, count, name in tree:
        languages[name][0] += 1
        languages[name][1] += count or 0
    by_lines = sorted(languages.items(), key=lambda item: (-item[1][1], item[0]))
    table("Languages", ["language", "files", "lines"], [(name, *counts) for name, counts in by_lines[:top]])

    biggest = sorted(tree, key=lambda entry: (-entry[1], entry[0]))[:top]
    table("Biggest files", ["file", "bytes", "lines"], [(name, size, count or 0) for name, size, count, _ in biggest])


def main():
    """Exit code 0, or 1 with one clear line on standard error."""
    try:
        path, top = parameters(sys.argv, os.environ)
        report(path, top)
    except NoClone as error:
        print(f"error: {path} is no git clone that can be read: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
