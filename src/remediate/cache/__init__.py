"""The cache: what was computed from bytes that have not changed since. Disposable; nothing is ever right because of it.

Entries are found by a digest of everything that they were computed from, this program's own code included
(`fingerprint`), so that none can be stale. They lie in one SQLite file in the user's cache folder (`folder`), which
several runs may read and write at once (`store`), and are read back as plain data only (`codec`).
"""
