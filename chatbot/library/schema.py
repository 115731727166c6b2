"""The tables of the library, and what brings those of an older version up to date."""

SCHEMA_VERSION = 5
SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, corpus TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL,
    format TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, date TEXT, pages INTEGER NOT NULL, chunks INTEGER NOT NULL,
    added_at TEXT NOT NULL, problem TEXT, language TEXT, recipe TEXT NOT NULL,
    text TEXT NOT NULL, blocks TEXT NOT NULL, page_starts TEXT NOT NULL,
    authors TEXT NOT NULL DEFAULT '', unread_pages TEXT NOT NULL DEFAULT '',
    recognized_pages TEXT NOT NULL DEFAULT '', sheets TEXT NOT NULL DEFAULT '[]',
    UNIQUE (corpus, path)
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, corpus TEXT NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, text TEXT NOT NULL,
    headings TEXT NOT NULL, context TEXT NOT NULL, page INTEGER,
    fingerprint TEXT NOT NULL, vector BLOB NOT NULL, sheet TEXT, starts TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX documents_of_corpus ON documents (corpus, problem);
CREATE INDEX documents_by_content ON documents (corpus, sha256, format);
CREATE INDEX chunks_of_document ON chunks (document_id, ordinal);
CREATE INDEX chunks_of_corpus ON chunks (corpus);
CREATE VIRTUAL TABLE words USING fts5 (
    context, text, content = 'chunks', content_rowid = 'number',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, context, text) VALUES (new.number, new.context, new.text);
END;
CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, context, text) VALUES ('delete', old.number, old.context, old.text);
END;
CREATE TABLE sentence_vectors (
    number INTEGER PRIMARY KEY REFERENCES chunks (number) ON DELETE CASCADE, vectors BLOB NOT NULL
);
CREATE TABLE vocabulary (
    corpus TEXT NOT NULL, word TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY (corpus, word)
) WITHOUT ROWID;
CREATE TABLE leftovers (document_id TEXT PRIMARY KEY);
"""
UPGRADES = {
    # Every document is read again, which also gives its sentences their vectors.
    1: """
ALTER TABLE documents ADD COLUMN language TEXT;
CREATE INDEX documents_of_corpus ON documents (corpus, problem);
CREATE TABLE sentence_vectors (
    number INTEGER PRIMARY KEY REFERENCES chunks (number) ON DELETE CASCADE, vectors BLOB NOT NULL
);
CREATE TABLE vocabulary (
    corpus TEXT NOT NULL, word TEXT NOT NULL, documents INTEGER NOT NULL, PRIMARY KEY (corpus, word)
) WITHOUT ROWID;
UPDATE documents SET recipe = '';
""",
    2: """
CREATE INDEX documents_by_content ON documents (corpus, sha256, format);
""",
    3: """
ALTER TABLE documents ADD COLUMN authors TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN unread_pages TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN recognized_pages TEXT NOT NULL DEFAULT '';
""",
    # What has sheets or pages is read again, so that its rows are numbered and its quotes' pages known.
    4: """
ALTER TABLE documents ADD COLUMN sheets TEXT NOT NULL DEFAULT '[]';
CREATE TABLE leftovers (document_id TEXT PRIMARY KEY);
ALTER TABLE chunks ADD COLUMN sheet TEXT;
ALTER TABLE chunks ADD COLUMN starts TEXT NOT NULL DEFAULT '[]';
UPDATE documents SET recipe = '' WHERE problem IS NULL
    AND (pages > 0 OR format IN ('xlsx', 'xlsm', 'xls', 'ods', 'csv', 'tsv'));
""",
}
