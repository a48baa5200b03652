-- The rule `asked`, and the half-hours of `windows` in which somebody may have come who satisfies it.
{{include:asked}},
    {{include:city_zone}},
    {{include:settled_windows}},
    {{include:days_of_windows}},
    {{include:near_windows_with_reach}}
