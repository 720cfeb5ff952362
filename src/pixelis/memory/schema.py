"""Tables of a store, as a numbered list of migrations; new ones are only ever added at the end.

A step is a statement, or what is called with the connection inside the migration's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from pixelis.memory.older import corrections

APPLICATION = 0x50495845  # marks the file as ours

Step = str | Callable[[sqlite3.Connection], object]

MIGRATIONS: tuple[tuple[Step, ...], ...] = (
    (
        "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """
        CREATE TABLE media (
            sha256 TEXT PRIMARY KEY,
            suffix TEXT NOT NULL,
            bytes INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE experiences (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            born REAL NOT NULL,
            question TEXT NOT NULL,
            answer TEXT NOT NULL,
            canonical TEXT NOT NULL,
            answer_type TEXT NOT NULL,
            family TEXT NOT NULL,
            user TEXT NOT NULL,
            media TEXT REFERENCES media(sha256),
            likeness BLOB,
            confidence REAL,
            reward REAL NOT NULL,
            status TEXT NOT NULL,
            version INTEGER NOT NULL,
            policy TEXT NOT NULL,
            episode TEXT NOT NULL,
            provenance TEXT NOT NULL,
            pinned INTEGER NOT NULL DEFAULT 0,
            retrievals INTEGER NOT NULL DEFAULT 0,
            successes INTEGER NOT NULL DEFAULT 0,
            space TEXT NOT NULL,
            embedding BLOB,
            checksum BLOB NOT NULL,
            size INTEGER NOT NULL
        )
        """,
        "CREATE INDEX experiences_by_media ON experiences(media)",
        "CREATE INDEX experiences_by_user ON experiences(user)",
        "CREATE INDEX experiences_by_born ON experiences(born)",
        "CREATE INDEX experiences_by_space ON experiences(space, seq)",
        "CREATE TABLE doomed (sha256 TEXT PRIMARY KEY, suffix TEXT NOT NULL)",
        """
        CREATE TABLE votes (
            experience TEXT NOT NULL REFERENCES experiences(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            answer TEXT NOT NULL,
            canonical TEXT NOT NULL,
            confidence REAL,
            weight REAL NOT NULL,
            source TEXT NOT NULL,
            PRIMARY KEY (experience, number)
        )
        """,
        """
        CREATE TABLE decisions (
            experience TEXT PRIMARY KEY REFERENCES experiences(id) ON DELETE CASCADE,
            action TEXT NOT NULL,
            reason TEXT NOT NULL,
            rate REAL NOT NULL,
            born REAL NOT NULL
        )
        """,
        """
        CREATE TABLE reviews (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            experience TEXT NOT NULL UNIQUE REFERENCES experiences(id) ON DELETE CASCADE,
            reason TEXT NOT NULL,
            verdict TEXT NOT NULL DEFAULT '',
            correction TEXT NOT NULL DEFAULT '',
            reviewer TEXT NOT NULL DEFAULT '',
            born REAL NOT NULL,
            decided REAL
        )
        """,
        """
        CREATE TABLE queue (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            experience TEXT NOT NULL UNIQUE REFERENCES experiences(id) ON DELETE CASCADE,
            label TEXT NOT NULL,
            weight REAL NOT NULL,
            rate REAL NOT NULL,
            source TEXT NOT NULL,
            owner TEXT NOT NULL DEFAULT '',
            leased REAL,
            attempts INTEGER NOT NULL DEFAULT 0,
            born REAL NOT NULL
        )
        """,
        """
        CREATE TABLE versions (
            number INTEGER PRIMARY KEY,
            parent INTEGER NOT NULL,
            state TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            born REAL NOT NULL,
            reason TEXT NOT NULL,
            figures TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE lineage (
            version INTEGER NOT NULL,
            experience TEXT NOT NULL,
            PRIMARY KEY (version, experience)
        )
        """,
        "CREATE INDEX lineage_by_experience ON lineage(experience)",
        """
        CREATE TABLE quarantine (
            experience TEXT NOT NULL,
            version INTEGER NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (experience, version)
        )
        """,
        "CREATE TABLE exports (number INTEGER PRIMARY KEY, path TEXT NOT NULL, born REAL NOT NULL)",
        """
        CREATE TABLE exported (
            export INTEGER NOT NULL REFERENCES exports(number) ON DELETE CASCADE,
            experience TEXT NOT NULL,
            PRIMARY KEY (export, experience)
        )
        """,
        """
        CREATE TABLE requests (
            request BLOB PRIMARY KEY,
            content BLOB NOT NULL,
            experience TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        "INSERT INTO about VALUES ('epoch', '0')",
        "INSERT INTO about VALUES ('count', '0')",
        "INSERT INTO about VALUES ('bytes', '0')",
        "INSERT INTO about VALUES ('unclean', '0')",
        "INSERT INTO about VALUES ('promoted', '0')",
    ),
    # Ids alone: a learner that has just learned from one must hear that it is gone.
    ("CREATE TABLE erased (experience TEXT PRIMARY KEY) WITHOUT ROWID",),
    # An experience says itself what a reviewer gave as right: it votes so, and exports tell it.
    (corrections,),
)
