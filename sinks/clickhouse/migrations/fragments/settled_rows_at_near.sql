-- How and when the settled stays ended that began in one of the half-hours of `near` at its place, and where they are read.
{{include:settled_dwell}} AS dwell,
                {{include:settled_times}}
            FROM settled_stays_by_place FINAL
            PREWHERE (place_key, slot) IN (SELECT place_key, slot FROM near)
