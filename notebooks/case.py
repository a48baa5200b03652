"""One case, from its scans to whom it met, by which rule, and what the answers rest on (`make notebook`)."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Venuecode: one case")


@app.cell
def setup():
    from collections import Counter
    from dataclasses import asdict
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    import marimo as mo

    from infra.plots.timeline import timeline
    from infra.settings import Settings
    from infra.targets import clickhouse_target
    from sinks.clickhouse import exposure_windows, queries, rules, tracing

    def table(rows, label=""):
        return mo.ui.table([asdict(row) for row in rows], label=label, selection=None)

    return (
        Counter,
        Settings,
        ZoneInfo,
        clickhouse_target,
        exposure_windows,
        mo,
        queries,
        rules,
        table,
        timedelta,
        timeline,
        tracing,
    )


@app.cell
def connect(Settings, ZoneInfo, clickhouse_target, mo):
    settings = Settings()
    zone = ZoneInfo(settings.timezone)
    client = clickhouse_target(settings).client()
    (stored_from, stored_until, scans_stored), *_ = client.query(
        "SELECT min(scanned_at), max(scanned_at), count() FROM all_visits"
    ).result_rows
    mo.md(
        f"# One case\nClickHouse at `{settings.clickhouse.host}:{settings.clickhouse.port}`, "
        f"database `{settings.clickhouse.database}` (`VENUECODE_CLICKHOUSE__*` name another): "
        + (
            f"**{scans_stored:,} scans** from {stored_from.astimezone(zone):%Y-%m-%d %H:%M} "
            f"to {stored_until.astimezone(zone):%Y-%m-%d %H:%M}, {settings.timezone}."
            if scans_stored
            else "**nothing is stored yet**. Start `make demo` in another terminal, and run this notebook again."
        )
    )
    return client, scans_stored, stored_until, zone


@app.cell
def choose(client, mo, scans_stored):
    mo.stop(not scans_stored)
    # Whoever turned red last and was seen, else whoever was seen most.
    suggested = client.query(
        "SELECT lower(hex(v.person_token)) FROM visits AS v LEFT JOIN "
        "(SELECT person_token, max(valid_from) AS red_at FROM health_changes WHERE colour = 'red' GROUP BY person_token)"
        " AS h ON v.person_token = h.person_token GROUP BY v.person_token ORDER BY max(h.red_at) DESC, count() DESC LIMIT 1"
    ).result_rows[0][0]
    token_field = mo.ui.text(value=suggested, label="Person token (32 hex digits)", full_width=True)
    days_field = mo.ui.slider(1, 30, value=14, label="Days back from the last scan stored", show_value=True)
    mo.vstack([token_field, days_field])
    return days_field, token_field


@app.cell
def span(days_field, stored_until, timedelta, token_field):
    person = token_field.value.strip().lower()
    until = stored_until + timedelta(milliseconds=1)
    since = until - timedelta(days=days_field.value)
    return person, since, until


@app.cell
def trajectory(client, mo, person, queries, since, table, timeline, until, zone):
    scans = queries.trajectory(client, person, since, until)
    met = queries.meetings(client, person, since, until)
    mo.vstack(
        [
            mo.md("## Where they were\nBars are stays, coloured by what their end rests on; thin lines are meetings."),
            timeline(scans, met, since, until, zone)
            if scans
            else mo.md("No scan of this person is stored in the span."),
            table(scans, f"{len(scans)} scans"),
        ]
    )
    return met, scans


@app.cell
def contacts(client, mo, person, queries, rules, since, table, until):
    # A rule about cells is another question (companions_by_cell).
    rule_ids = [rule.rule_id for rule in rules.stored_rules(client) if rule.place != "cell_800m"]
    by_rule = {
        (rule_id, dwell): queries.contacts(client, person, since, until, rule_id, dwell)
        for rule_id in rule_ids
        for dwell in ("best", "explicit", "default")
    }
    mo.vstack(
        [
            mo.md(
                "## Whom they met\nContacts under each rule over the whole span: with the best known end of each stay, "
                "with scanned leaves only, and with the usual stay of the kind of venue."
            ),
            mo.ui.table(
                [
                    {
                        "rule": rule_id,
                        **{dwell: len(by_rule[rule_id, dwell]) for dwell in ("best", "explicit", "default")},
                    }
                    for rule_id in rule_ids
                ],
                selection=None,
            ),
            table(by_rule["any_overlap", "best"], "Everybody with any overlap"),
        ]
    )
    return (by_rule,)


@app.cell
def comparison(Counter, client, mo, person, since, timedelta, tracing, until):
    onset = until - timedelta(days=1)
    compared = tracing.rule_comparison(client, person, onset, since, until)
    per_rule = Counter(row.rule_id for row in compared)
    mo.vstack(
        [
            mo.md(f"## Every rule side by side\nEach with its own days round an onset of {onset:%Y-%m-%d %H:%M} UTC."),
            mo.ui.table(
                [{"rule": rule_id, "contacts": number} for rule_id, number in per_rule.items()], selection=None
            ),
        ]
    )
    return (per_rule,)


@app.cell
def chain(client, mo, person, since, tracing, until):
    links = tracing.contact_chain(client, person, since, until, "cn_close_contact")
    degrees = {degree: len({link.contact for link in links if link.degree == degree}) for degree in (1, 2)}
    mo.md(
        f"## Contacts of contacts\nUnder `cn_close_contact`: **{degrees[1]}** contacts, and **{degrees[2]}** people whom "
        "they met afterwards, until they were isolated."
    )
    return (degrees,)


@app.cell
def windows(client, exposure_windows, mo, scans_stored, table):
    mo.stop(not scans_stored)
    window_counts = sorted(exposure_windows.window_counts(client), key=lambda window: -window.people)
    mo.vstack(
        [
            mo.md(
                f"## Exposure windows\n{len(window_counts)} are published; the fullest first (`make demo-nz` has 4,335)."
            ),
            table(window_counts[:20]),
        ]
    )
    return (window_counts,)


@app.cell
def sources(client, mo, person, since, table, tracing, until):
    reds = client.query(
        "SELECT DISTINCT lower(hex(person_token)) FROM health_changes WHERE colour = 'red' LIMIT 100"
    ).result_rows
    cases = sorted({person, *(red for (red,) in reds)})
    shared = tracing.candidate_sources(client, cases, since, until)
    mo.vstack(
        [
            mo.md(
                f"## Where cases may have caught it\nPlaces and times that at least two of {len(cases)} cases shared."
            ),
            table(shared[:20]),
        ]
    )
    return cases, shared


@app.cell
def coverage(client, mo, person, since, tracing, until):
    rests_on = tracing.coverage(client, person, since, until)
    assumed = "no stays" if rests_on.assumed_share is None else f"{rests_on.assumed_share:.0%} of them assumed"
    mo.md(
        f"## What this rests on\n{rests_on.stays} stays, {assumed}; {rests_on.late_scans} scans arrived late, "
        f"{rests_on.flagged_scans} carry a flag; scans are stored until {rests_on.stored_until:%Y-%m-%d %H:%M} UTC. "
        "**Nobody found is no proof that nobody was there.**"
    )
    return (rests_on,)


@app.cell
def statistics(client, mo, scans_stored, since, until):
    mo.stop(not scans_stored)
    hotspots = client.query(
        "SELECT hour, cell, visits, people FROM stats_hotspots(since = {since:String}, until = {until:String}) "
        "ORDER BY people DESC, hour, cell LIMIT 20",
        parameters={"since": f"{since:%Y-%m-%d %H:%M:%S}", "until": f"{until:%Y-%m-%d %H:%M:%S}"},
    )
    busiest = list(hotspots.named_results())
    mo.vstack(
        [
            mo.md("## For others than tracers\nWhole hours, numbers in tens, no cell of fewer than ten people."),
            mo.ui.table(busiest, selection=None),
        ]
    )
    return (busiest,)


if __name__ == "__main__":
    app.run()
