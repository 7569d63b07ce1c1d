"""The schema of the history, as the steps that led to it. ``docs/history.md`` describes its tables.

A step is never changed once a version of the workbook had it; a new one is added at the end.
"""

_RUNS_AND_BUILDS = (
    """CREATE TABLE runs (
        run TEXT PRIMARY KEY,
        study TEXT NOT NULL,
        title TEXT NOT NULL,
        baseline TEXT NOT NULL,
        created TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('ok', 'failed')),
        whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
        inputs TEXT,
        cpu_model TEXT,
        cpus INTEGER,
        memory_bytes INTEGER,
        kernel_release TEXT
    )""",
    "CREATE INDEX runs_by_study ON runs (study, created)",
    """CREATE TABLE locks (
        lock TEXT PRIMARY KEY,
        content TEXT NOT NULL
    )""",
    """CREATE TABLE locked_packages (
        lock TEXT NOT NULL REFERENCES locks ON DELETE CASCADE,
        name TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        version TEXT NOT NULL,
        release TEXT NOT NULL,
        arch TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        repo TEXT NOT NULL,
        PRIMARY KEY (lock, name, epoch, version, release, arch)
    ) WITHOUT ROWID""",
    """CREATE TABLE builds (
        build INTEGER PRIMARY KEY,
        run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
        variant TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'incomplete')),
        passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
        failed_stage TEXT,
        error TEXT,
        method TEXT NOT NULL,
        content TEXT NOT NULL,
        recipe TEXT NOT NULL,
        agent TEXT NOT NULL,
        version TEXT,
        lock TEXT REFERENCES locks,
        commit_checksum TEXT,
        content_checksum TEXT,
        image_sha256 TEXT,
        image_compressed_sha256 TEXT,
        UNIQUE (run, variant)
    )""",
    "CREATE INDEX builds_by_variant ON builds (variant)",
    """CREATE TABLE parameters (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        parameter TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (build, parameter)
    ) WITHOUT ROWID""",
    """CREATE TABLE versions (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        program TEXT NOT NULL,
        version TEXT NOT NULL,
        PRIMARY KEY (build, program)
    ) WITHOUT ROWID""",
    """CREATE TABLE stages (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        stage TEXT NOT NULL,
        key TEXT NOT NULL,
        seconds REAL NOT NULL,
        reused INTEGER NOT NULL CHECK (reused IN (0, 1)),
        PRIMARY KEY (build, stage)
    ) WITHOUT ROWID""",
    """CREATE TABLE figures (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        figure TEXT NOT NULL,
        title TEXT NOT NULL,
        unit TEXT NOT NULL,
        value REAL NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (build, figure)
    ) WITHOUT ROWID""",
    """CREATE TABLE packages (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        name TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        version TEXT NOT NULL,
        release TEXT NOT NULL,
        arch TEXT NOT NULL,
        class TEXT NOT NULL,
        files INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        image_bytes INTEGER,
        qcow2_bytes INTEGER,
        PRIMARY KEY (build, name, epoch, version, release, arch)
    ) WITHOUT ROWID""",
    """CREATE TABLE counted_units (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        unit TEXT NOT NULL,
        package TEXT,
        counted_seconds REAL NOT NULL,
        PRIMARY KEY (build, unit)
    ) WITHOUT ROWID""",
)

_BREACHES = (
    """CREATE TABLE breaches (
        build INTEGER NOT NULL REFERENCES builds ON DELETE CASCADE,
        budget TEXT NOT NULL,
        item TEXT NOT NULL,
        unit TEXT NOT NULL,
        value REAL,
        budget_limit REAL,
        cause TEXT NOT NULL,
        PRIMARY KEY (build, budget, item)
    ) WITHOUT ROWID""",
)

_VENDORS = ("ALTER TABLE locked_packages ADD COLUMN vendor TEXT NOT NULL DEFAULT ''",)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_RUNS_AND_BUILDS, _BREACHES, _VENDORS)
"""The statements of each step; step N takes a history of version N - 1 to version N."""
