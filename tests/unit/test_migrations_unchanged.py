"""Migrations that databases have applied stay as they are, with the fragments they include."""

from __future__ import annotations

from sinks.clickhouse.sqlfiles import read_migrations

APPLIED = {
    "0001_tables": "d91d41eac4d6749431e4a30f3c61f5407008e818bdc4ab35cd2305418558b8c5",
    "0002_inputs": "0b74fa3c8f4a2a0a428f7870f30caf1a4dfebf8dd9d460a144cb86dc576845c7",
    "0003_views": "48e81e922604152a0d70e961ae879a5d06a5401b2e5c2975c5a402a651185d82",
    "0004_merges": "6153d48edcb260e05abff9abcd65c736033d3998d9b52957e25e6c575018e418",
    "0005_offsets": "582125ac52a71dddfd6df6ce3a563c2b151a371100148c3165a18387a9d5720d",
    "0006_rules": "9dedd820966ea7b787ebfeff99048bcd56c68b814f5a413f5e38cd5b1b980247",
    "0007_contacts": "0f5a908c1ae89ab2f5c73e3a8cd1bf629808ab1c3e738d42150e256f01549e1f",
    "0008_tracing": "7c83481fc863af76979f93e3e0700af5661c0be32748dcbf4dea7b4ca3f5c422",
    "0009_windows_cells": "a49c1af1e06b5e2a050ba9697395bd3f328e0f59874f3397e9e5c93f96ae2f7a",
    "0010_statistics": "7c90fdd74ace024632ae8be7887166d62916c17fc522f86aadb6b66b6127f51d",
    "0011_default_dwell": "cadd855ce6e827c537489a21b45aaee4f15320351089e1376b2d2f4a0ff64e80",
    "0012_compact": "c4fd5328da2d0978ac53058cfb58c29cf09dfd81f586551a80e25cf118ff41cc",
    "0013_all_rules": "afabb2f632459d87e7ad51efa2bc0a88caa108a0719b8edaab6c311b3f9fb928",
    "0014_statistics_grants": "9e31bfa55260cdee9b3988de8be0b0de791439c12bac27e3cd10b8c070ec401c",
    "0015_one_case_by_default": "6d692ffded76132d7a1114dd4d282e2b8fe65726df831ab9d207e027a6cd4939",
    "0016_codecs": "5a3e6d5692b1d61a54c1974d12df2694776c21cb40b462e0e228f9bb68f40d00",
    "0017_rule_versions": "5d85faa49dcc948fa33500860cd17732c443c91358e8db07fc160757c0f6d482",
    "0018_isolation": "0927f7642e35dc80da87404913e362b74855014728bf8a77628b3ea327809896",
    "0019_closed_lists": "0b76073348c45a11b60c8ddd4437fdf9523eff9df20685433e6309a1c7b745b1",
    "0020_later_merges": "64840fefd8d404bfd1aab4db0da7eaecd63c4b76501dfc649e6855e12ab4ba08",
    "0021_settled_stays": "ff70c8d7c779fdb19aec3b521ef3aa1019ee0f7da4b190c3edb8f0c8a304c9b0",
    "0022_settled_contacts": "31d064d7eea5fcafbfdea01e3a06209b836bf42793a766da8e23c61328d456e5",
    "0023_size": "20726433ee70365e8f6b211e0f1f6c5461cec909e3ffc6884b957faf3be94986",
    "0024_windows": "57a9e6dbddc785f5ccf2888d6c673027862fc20a5b721af6e1bc91ef545d9832",
    "0025_sorted_meetings": "398018cdc663ff5d500e3ea2d461f290195ba96ce0e4fd15fc556cf80d2a746b",
    "0026_contacts_until_now": "ffc460f098ca702549c20d8264d7167ab4f0ec4a7bc749175b7fad7b36a5cdd2",
    "0027_settled_rules": "319bc77cdf564f154321a2fbd7b57583e3ad533f07fd97b7c13db387df3eca5f",
    "0028_settled_boardings": "3da034554154d28a171d15f4dce8006dd600aa165f57a483c5198a67ebefe942",
    "0029_settled_windows": "5dbf6327d3d581127868b3f4bbdf5db377f5748b454b1ef8fe39a4c12e34e99b",
    "0030_settled_sizes": "c91cec81a39c76f7128910676cde699e3f72cd57082585fe00dfb8818db24169",
    "0031_overlaps_in_cells": "337fc8ce17611cf256aab2dda67432a6bec5102daa4415818a7c45ddbf7840f8",
    "0032_settled_codecs": "d1ff9c482c9071104330d50a840219f5c01accd5f9612355459f35dab04b3d42",
    "0033_scanned_since": "093c6f3bf0a3e9c02378c68e13a101dc39eb5fcad2e01ebb5f791cf86a6ddde9",
    "0034_joined_by_the_case": "9ab68a5630ec1683965397a2c92620680cea3f3a6029e104a492237017836ff0",
}
"""What `schema_migrations` holds of each: SHA-256 of the file with its fragments in place."""


def test_an_applied_migration_never_changes_nor_do_the_fragments_it_includes() -> None:
    now = {f"{migration.number:04d}_{migration.name}": migration.checksum for migration in read_migrations()}
    changed = sorted(name for name, checksum in APPLIED.items() if now.get(name) != checksum)
    assert not changed, (
        f"{', '.join(changed)}: changed, or a fragment of it did, and databases that have it would refuse to start. "
        "Restore the text and write a new migration, with fragments of its own"
    )
    new = {name: checksum for name, checksum in now.items() if name not in APPLIED}
    assert not new, f"new migrations: put them into APPLIED when they are final: {new}"
