"""Arrows only point down: what may import what, kept by reading every import of the package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "chatbot"

# From the bottom up; a module may import what stands in lower ranks, and a package's modules each other.
RANKS = [
    ["errors", "types"],
    [
        "settings",
        "prompting",
        "tokens",
        "sentences",
        "languages",
        "corpora",
        "explanation",
        "places",
        "document_states",
        "loading",
        "model_preparing",
        "ownership",
        "database",
        "record_file",
        "event_lines",
        "admission",
        "metrics",
        "amounts",
        "trust",
    ],
    [
        "conversion",
        "wheels",
        "engines",
        "graphs",
        "token_counting",
        "ahead",
        "late_embedder",
        "memory",
        "keys",
        "sites",
        "site_records",
        "starters",
        "filters",
        "spelling",
        "compounds",
        "changes",
        "forgetting",
        "backup",
    ],
    [
        "sessions",
        "documents",
        "chunking",
        "embedding",
        "library",
        "vectors",
        "generation",
        "models",
        "conversation",
        "jobs",
    ],
    ["graph_embedding", "graph_conversion", "chunk_vectors", "ingest_account"],
    ["preparing"],
    [
        "ingest_queue",
        "retrieval",
        "grounding",
        "ingest",
        "chats",
        "receipts",
        "feedback",
        "scratch",
        "reading",
        "index_places",
    ],
    ["evidence", "records"],
    ["bands", "passages_to_read"],
    ["quotes"],
    ["surveys"],
    ["calculations"],
    ["answer"],
    ["assistant"],
    ["factories", "kept_answers", "corpus_search"],
    ["answer_models", "catalogue"],
    ["upkeep"],
    ["service"],
    ["build", "web"],
    ["evaluation", "doctor", "connection", "speed"],
    ["training"],
    ["terminal"],
    ["connecting"],
    ["indexes"],
    ["commands"],
    ["cli"],
    ["__main__"],
]
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}

# Each heavy package is imported by these modules and no other.
OWNERS = {
    "chromadb": {"vectors"},
    "sentence_transformers": {"embedding"},
    "tiktoken": {"tokens"},
    "transformers": {
        "embedding",
        "generation.local",
        "conversion",
        "graph_conversion",
        "reading",
        "training",
    },
    "tokenizers": {"token_counting", "graph_embedding", "conversion", "reading", "training"},
    "safetensors": {"conversion", "graph_conversion", "graphs", "reading"},
    "openvino": {"engines", "graphs", "generation.openvino", "graph_conversion"},
    "openvino_genai": {"generation.openvino"},
    "openvino_tokenizers": {"graph_conversion"},
    "sklearn": {"training"},
    "peft": {"training"},
    "gguf": {"conversion"},
    "sqlite3": {"database", "library", "backup", "receipts"},
    "filelock": {"ownership", "model_preparing", "record_file"},
    "prometheus_client": {"metrics"},
    "pydantic_settings": {"settings"},
    "bs4": {"documents"},
    "lxml": {"documents"},
    "markdown_it": {"documents"},
    "pypdfium2": {"documents"},
    "rapidfuzz": {"spelling"},
    "py3langid": {"languages"},
    "docx": {"documents"},
    "pptx": {"documents"},
    "openpyxl": {"documents"},
    "xlrd": {"documents"},
    "olefile": {"documents"},
    "compressed_rtf": {"documents"},
    "docutils": {"documents"},
    "pylatexenc": {"documents"},
    "PIL": {"documents"},
    "mcp": {"web"},
    "gradio": {"web"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "httpx": {"generation.remote", "connection"},
    "torch": {"embedding", "generation.local", "conversion", "engines", "speed", "reading", "training"},
}
SETTINGS_READERS = {
    "build",
    "service",
    "cli",
    "evaluation.command",
    "evaluation.calibration",
    "doctor",
    "scratch",
    "connection",
    "training.command",
    "connecting",
    "indexes.command",
}
LAZY = [
    "openvino",
    "openvino_genai",
    "openvino_tokenizers",
    "chromadb",
    "sentence_transformers",
    "transformers",
    "torch",
    "gradio",
    "mcp",
    "tiktoken",
    "gguf",
    "py3langid",
    "rapidfuzz",
    "safetensors",
    "sklearn",
    "peft",
]


def find_modules() -> dict[str, Path]:
    """Every module by its dotted name below the package."""
    paths = sorted(PACKAGE.rglob("*.py"))
    names = [".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in paths]
    return {name: path for name, path in zip(names, paths, strict=True) if "_shipped" not in name}


MODULES = find_modules()


def list_imports(name: str, *, top_only: bool = False) -> Iterator[str]:
    """The dotted names that a module imports at run time."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    checking = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in tree.body if top_only else ast.walk(tree):
        if id(node) in checking:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by a relative name"
            yield node.module or ""
            if node.module == "chatbot" or f"{node.module}.__init__".removeprefix("chatbot.") in MODULES:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_group(name: str) -> str:
    """The top module or package that a dotted name below chatbot belongs to."""
    return name.split(".", 1)[0]


def list_own_imports(name: str) -> set[str]:
    """The groups of the package that a module imports, without its own."""
    groups = {
        find_group(imported.removeprefix("chatbot."))
        for imported in list_imports(name)
        if imported.startswith("chatbot.") and imported != "chatbot.__version__"
    }
    return groups - {find_group(name)}


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__init__")])
def test_a_module_imports_only_what_stands_below_it(name):
    assert find_group(name) in RANK, f"{name} has no rank: give it one"

    upward = {group for group in list_own_imports(name) if RANK[group] >= RANK[find_group(name)]}

    assert set() == upward


def test_nothing_imports_launch():
    assert [name for name in MODULES if "launch" in set(list_imports(name))] == []


def test_every_rank_stands_for_something_that_exists():
    assert set() == set(RANK) - {find_group(name) for name in MODULES}


@pytest.mark.parametrize("package", OWNERS)
def test_a_package_is_imported_by_its_owners_alone(package):
    users = {
        name for name in MODULES if package in {imported.split(".")[0] for imported in list_imports(name)}
    }

    assert set() == {
        user for user in users if user not in OWNERS[package] and find_group(user) not in OWNERS[package]
    }


def test_settings_go_no_further_than_where_parts_are_put_together():
    readers = {name for name in MODULES if "chatbot.settings" in set(list_imports(name))}

    readers = {name for name in readers if find_group(name) != "commands"}
    assert set() == readers - SETTINGS_READERS


@pytest.mark.parametrize("package", LAZY)
def test_heavy_packages_are_imported_where_they_are_needed_first(package):
    eager = {
        name
        for name in MODULES
        if find_group(name) != "web"
        and package in {imported.split(".")[0] for imported in list_imports(name, top_only=True)}
    }

    assert set() == eager


def test_no_module_runs_anything_of_a_server_of_chroma():
    assert [
        name
        for name in MODULES
        for imported in list_imports(name)
        if imported.startswith(("chromadb.server", "chromadb.app", "chromadb.utils"))
    ] == []


def test_no_module_loads_what_could_run_code():
    assert [
        (name, imported)
        for name in MODULES
        for imported in list_imports(name)
        if imported.split(".")[0] in ("pickle", "joblib", "dill", "marshal", "shelve", "yaml")
    ] == []
