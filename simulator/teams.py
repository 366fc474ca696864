"""The teams of the simulated company: their settings, vocabulary and habits."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.words import Vocabulary


@dataclass(frozen=True, slots=True)
class Team:
    """The characteristics of one team.

    Attributes:
        name: the project's name.
        share: its share of all stories.
        settings: project settings that differ from Tracker's defaults.
        points: the estimates it uses, from the point scale.
        words: its vocabulary.
        epics: the names and labels of its epics.
        begins: the day on which the project is created.
        ends: the last day of work on the project; empty if there is none.
        rejects: the probability that a delivered story is rejected.
        imports: whether it started with accepted stories imported from an older system.
    """

    name: str
    share: float
    settings: dict[str, object]
    points: tuple[float, ...]
    words: Vocabulary
    epics: tuple[tuple[str, str], ...]
    begins: str = "2023-11-01"
    ends: str = ""
    rejects: float = 0.14
    imports: bool = False


TEAMS = (
    Team(
        "Checkout",
        0.20,
        {"time_zone": "America/Los_Angeles", "initial_velocity": 10, "description": "Web shop"},
        (0, 1, 1, 2, 2, 3),
        Vocabulary(
            ("Shopper", "Guest", "Store manager", "Gift buyer"),
            ("cart", "coupon", "shipping address", "wish list", "order history", "gift card"),
            ("save", "edit", "share", "compare", "restore", "remove"),
            ("checkout", "the basket page", "the order mail", "account settings"),
            ("the payment gateway", "the tax service", "the stock cache", "the web tier"),
        ),
        (("One-page checkout", "one page"), ("Gift cards", "gift cards"), ("Wallets", "wallets")),
        imports=True,
    ),
    Team(
        "Mobile App",
        0.18,
        {
            "time_zone": "Europe/Berlin",
            "iteration_length": 2,
            "point_scale": "0,1,2,3,5,8",
            "initial_velocity": 12,
        },
        (1, 2, 2, 3, 3, 5, 8),
        Vocabulary(
            ("Traveller", "Commuter", "Season ticket holder", "Inspector"),
            ("ticket", "route", "delay alert", "seat reservation", "favourite stop"),
            ("buy", "find", "bookmark", "cancel", "print", "transfer"),
            ("the map", "the start screen", "the widget", "the ticket wallet"),
            ("the push service", "the timetable feed", "the iOS build", "the Android build"),
        ),
        (("Offline tickets", "offline"), ("Barrierefreiheit", "barrierefreiheit")),
        rejects=0.2,
    ),
    Team(
        "Data Platform",
        0.16,
        {
            "time_zone": "Australia/Sydney",
            "week_start_day": "Wednesday",
            "point_scale": "0,0.5,1,2,4",
            "point_scale_is_custom": True,
            "bugs_and_chores_are_estimatable": True,
            "velocity_averaged_over": 4,
            "initial_velocity": 8,
        },
        (0.5, 0.5, 1, 1, 2, 4),
        Vocabulary(
            ("Analyst", "Data steward", "Finance lead", "Auditor"),
            ("lineage graph", "freshness report", "export job", "access request", "metric"),
            ("schedule", "inspect", "approve", "backfill", "annotate"),
            ("the catalogue", "the query editor", "the lineage view", "the cost report"),
            ("the scheduler", "the object store", "the event bus", "the warehouse loader"),
        ),
        (("Self-service metrics", "self service"), ("Retention & erasure", "erasure")),
        rejects=0.08,
    ),
    Team(
        "Search Ranking",
        0.15,
        {
            "time_zone": "Asia/Kolkata",
            "week_start_day": "Sunday",
            "iteration_length": 2,
            "point_scale": "0,1,2,4,8",
            "velocity_averaged_over": 2,
            "initial_velocity": 15,
        },
        (1, 2, 2, 4, 4, 8),
        Vocabulary(
            ("Searcher", "Seller", "Merchandiser", "Relevance engineer"),
            ("synonym list", "facet", "autocomplete", "ranking rule", "spelling suggestion"),
            ("tune", "preview", "pin", "exclude", "explain"),
            ("the results page", "the query log", "the category tree", "the relevance console"),
            ("the indexer", "the feature store", "the query parser", "the click log"),
        ),
        (("Learning to rank", "ltr"), ("हिन्दी search", "hindi")),
    ),
    Team(
        "Billing",
        0.15,
        {
            "time_zone": "America/New_York",
            "automatic_planning": False,
            "velocity_averaged_over": 1,
            "initial_velocity": 6,
        },
        (1, 1, 2, 3),
        Vocabulary(
            ("Accountant", "Customer", "Collections agent", "Controller"),
            ("invoice", "credit note", "payment plan", "dunning letter", "tax certificate"),
            ("send", "correct", "void", "download", "reconcile"),
            ("the ledger", "the customer portal", "the month-end report", "the payment run"),
            ("the ledger service", "the bank connector", "the PDF renderer", "the tax tables"),
        ),
        (("E-invoicing", "e-invoicing"), ("Dunning", "dunning"), ("Ledger v2", "ledger v2")),
    ),
    Team(
        "Support Desk",
        0.12,
        {"time_zone": "Europe/London", "week_start_day": "Friday", "public": True},
        (0, 1, 2, 3),
        Vocabulary(
            ("Agent", "Team lead", "Caller", "Night shift"),
            ("ticket queue", "macro", "call note", "escalation", "satisfaction survey"),
            ("assign", "merge", "search", "close", "reopen", "tag"),
            ("the inbox", "the agent console", "the shift planner", "the help centre"),
            ("the telephony bridge", "the mail parser", "the chat widget", "the SLA timer"),
        ),
        (("Callbacks", "callbacks"), ("Help centre", "help centre")),
        rejects=0.17,
    ),
    Team(
        "Legacy Storefront",
        0.035,
        {"time_zone": "America/Sao_Paulo", "week_start_day": "Tuesday", "initial_velocity": 7},
        (1, 2, 3),
        Vocabulary(
            ("Customer", "Clerk", "Shop owner"),
            ("catalogue page", "promotion", "stock list", "newsletter"),
            ("browse", "reserve", "reprint", "update"),
            ("the old shop", "the back office", "the price list"),
            ("the old database", "the mail relay", "the nightly job"),
        ),
        (("Wind-down", "wind-down"),),
        ends="2024-07-15",
    ),
    Team(
        "Prototyp „Nachtfalter“",
        0.005,
        {"time_zone": "Europe/Berlin", "velocity_averaged_over": 2, "initial_velocity": 5},
        (0, 1, 2, 3),
        Vocabulary(
            ("Tester", "Curator", "Visitor"),
            ("sketch", "sound map", "tour"),
            ("record", "play", "remix"),
            ("the exhibition", "the night mode", "the audio guide"),
            ("the beacon firmware", "the media server"),
        ),
        (("First exhibition", "exhibition"),),
        begins="2025-04-28",
    ),
)
