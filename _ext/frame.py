"""The book's frame: what a page says of its repository and of the build it came from.

The repository's address stands nowhere in the source. It is read from the clone's ``origin``; where there is
none, or none that a browser could open, the buttons that need it are left out.
"""
import datetime
import os
import platform
import re
import subprocess
import time
from importlib.metadata import version

from sphinx.application import Sphinx
from sphinx.config import Config

HOSTS = ("github.com", "gitlab.com", "bitbucket.org")  # those the theme knows how to link into


def repository_address(remote: str) -> str | None:
    """The https address of a git remote (``https://``, ``ssh://`` or ``git@host:path``), or None for any other."""
    match = re.fullmatch(r"(?:https?://|ssh://)?(?:[^@/\s]+@)?([\w.-]+)(?::\d+)?[/:]([^\s:]+?/[^\s:]+?)(?:\.git)?/?", remote)
    if match is None or match[1] not in HOSTS:
        return None
    return f"https://{match[1]}/{match[2]}"


def origin(folder: str) -> str:
    """What ``git remote get-url origin`` prints in ``folder``; empty without git, a clone or a remote."""
    try:
        done = subprocess.run(["git", "remote", "get-url", "origin"], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def checked_with() -> str:
    """The line every page ends with: the versions and the day of this build."""
    seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    day = datetime.date.fromtimestamp(seconds)
    return f"<p>Checked with torch {version('torch')} on Python {platform.python_version()}, {day.isoformat()}.</p>"


def furnish(app: Sphinx, config: Config) -> None:
    options = config.html_theme_options
    options["extra_footer"] = options.get("extra_footer", "") + checked_with()
    if address := repository_address(origin(app.confdir)):
        options.update(repository_url=address, repository_branch="main", path_to_docs="",
                       use_repository_button=True, use_issues_button=True, use_edit_page_button=True)


def name_list_items(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """A list's children must be items; docutils calls those of a bibliography by a role that ARIA has given up."""
    context["body"] = context.get("body", "").replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", furnish)
    app.connect("html-page-context", name_list_items)
    app.set_html_assets_policy("always")  # quizzes hold equations that Sphinx does not see
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
