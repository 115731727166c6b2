"""The command `chatbot sites`: says which sites may show the chat widget, and prints the tag for them."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime

from chatbot.commands.keys import check_corpora
from chatbot.errors import AccessError
from chatbot.settings import Settings
from chatbot.site_records import SiteRecords
from chatbot.sites import Site, SiteLimits, SiteStore
from chatbot.terminal import Terminal, make_terminal

LIMITS = SiteLimits()


def add_sites_options(parser: argparse.ArgumentParser) -> None:
    """The commands below `sites`."""
    commands = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    add = commands.add_parser("add", help="let the pages of a site show the chat")
    add.add_argument("name", help="what stands in the tag; small letters, digits and hyphens")
    add.add_argument("--corpus", metavar="NAME", required=True, help="the corpus that it answers from")
    add.add_argument(
        "--origin",
        metavar="URL",
        dest="origins",
        action="append",
        default=[],
        help="scheme, host and port of pages that may show it; may be repeated (without any: none)",
    )
    for name, field, meaning in (
        ("--per-minute", "questions_per_minute", "questions a minute of one visitor or address"),
        ("--parallel", "parallel_answers", "answers at once for one visitor or address"),
        ("--longest-question", "question_characters", "characters of a question"),
        ("--per-day", "questions_per_day", "questions a day of the whole site"),
    ):
        default = getattr(LIMITS, field)
        add.add_argument(
            name,
            type=int,
            default=default,
            metavar="N",
            dest=field,
            help=f"at most so many {meaning} (default {default})",
        )
    listing = commands.add_parser("list", help="show all sites, and how much they were asked today")
    listing.add_argument("--json", action="store_true", help="write the result as JSON")
    for name, summary in (
        ("remove", "refuse a site from now on"),
        ("snippet", "print the tag for the site's pages"),
        ("ratings", "show the answers that visitors found good or bad"),
    ):
        command = commands.add_parser(name, help=summary)
        command.add_argument("name", help="the name of the site")
        if name == "ratings":
            command.add_argument("--json", action="store_true", help="write the result as JSON")
        if name == "snippet":
            command.add_argument(
                "--url", help="where browsers reach the chatbot, with a proxy's path (default public_url)"
            )


def run_sites(options: argparse.Namespace, settings: Settings) -> int:
    """Add, list or remove sites; a chatbot that runs follows at once."""
    terminal = make_terminal()
    sites = SiteStore(settings.data_folder / "sites.json")
    if options.action == "add":
        add_site(options, settings, sites, terminal)
    elif options.action == "remove":
        sites.remove_site(options.name)
        terminal.say(f"The site {options.name} is refused from now on.")
    elif options.action == "snippet":
        print_snippet(find_site(sites, options.name), options.url, settings, terminal)
    else:
        with closing(SiteRecords(settings.data_folder / "sites.sqlite3")) as records:
            if options.action == "ratings":
                print_ratings(find_site(sites, options.name), records, terminal, as_json=options.json)
            else:
                print_sites(sites.list_sites(), records, terminal, as_json=options.json)
    return 0


def add_site(options: argparse.Namespace, settings: Settings, sites: SiteStore, terminal: Terminal) -> None:
    """Keep a site and say what to do next."""
    check_corpora([options.corpus], settings)
    limits = SiteLimits(**{field: getattr(options, field) for field in asdict(LIMITS)})
    for field, value in asdict(limits).items():
        if value < 1:
            raise AccessError(f"A site cannot have {value} {field.replace('_', ' ')}.", "Choose 1 or more.")
    site = sites.add_site(options.name, options.corpus, options.origins, limits)
    terminal.say(f"{site.name}  {site.corpus}  {describe_origins(site)}")
    terminal.note(f"The tag for its pages: chatbot sites snippet {site.name}")
    if settings.public_url and not settings.trusted_proxies:
        terminal.note(
            "Name your proxy in trusted_proxies: else all visitors share one address, and its limits."
        )


def find_site(sites: SiteStore, name: str) -> Site:
    """The site of that name.

    :raises AccessError: when there is none.
    """
    site = sites.find_site(name)
    if site is None:
        raise AccessError(f"There is no site {name!r}.", "See: chatbot sites list.")
    return site


def print_snippet(site: Site, url: str | None, settings: Settings, terminal: Terminal) -> None:
    """The tag, and what a page with a strict policy must allow."""
    from chatbot.web.widget.snippet import make_snippet

    url = url or settings.public_url or f"http://{settings.host}:{settings.port}"
    terminal.say(make_snippet(url, site.name))
    terminal.note("Print it again after an update: its hash belongs to this version of the launcher.")


def print_sites(sites: tuple[Site, ...], records: SiteRecords, terminal: Terminal, *, as_json: bool) -> None:
    """A line for each site, or all as JSON, with how often each was asked today (UTC)."""
    day = datetime.now(UTC).date().isoformat()
    counted = [(site, records.count_questions(site.name, day)) for site in sites]
    if as_json:
        terminal.say_json([asdict(site) | {"questions_today": count} for site, count in counted])
        return
    for site, count in counted:
        budget = f"{count} of {site.limits.questions_per_day} questions today"
        terminal.say(f"{site.name}  {site.corpus}  {describe_origins(site)}  {budget}")
    if not sites:
        terminal.say("There are no sites: no other page may show the chat.")


def describe_origins(site: Site) -> str:
    """The origins of a site in words."""
    return ", ".join(site.origins) or "no origin, so that nobody is answered"


def print_ratings(site: Site, records: SiteRecords, terminal: Terminal, *, as_json: bool) -> None:
    """The rated answers of a site, newest first."""
    ratings = records.list_ratings(site.name)
    if as_json:
        terminal.say_json([asdict(rated) for rated in ratings])
        return
    for rated in ratings:
        verdict = "good" if rated.rating == "up" else "bad"
        terminal.say(f"{rated.rated_at}  {verdict}  {rated.question}")
        words = " ".join(rated.answer.split())
        terminal.say(f"    {words or '(a document that this answer was written from has been deleted)'}")
    if not ratings:
        terminal.say("No answer has been rated yet.")
