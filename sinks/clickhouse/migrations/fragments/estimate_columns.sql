-- The estimate, with two standard deviations either way, of `named` people in the sample and `known` besides; and the share
-- to ask for next, unless that is within 5 %: one that should be, or everybody where so few were found that it may be some
-- hundreds. `nothing_more`: nobody can be named besides those known.
SELECT
    toUInt64(round(known + named / part)) AS people,
    toUInt64(known + greatest(toFloat64(named), floor((named - 2 * sqrt(named * (1 - part))) / part))) AS at_least,
    toUInt64(known + ceil((named + 2 * sqrt(named * (1 - part))) / part)) AS at_most,
    if(nothing_more, 1., part) AS share,
    multiIf(
        part = 1 OR nothing_more OR (named >= 12 AND at_most - at_least <= 0.1 * people), NULL,
        named < 12 OR named / part < 1000, 1.,
        2500 / (named / part + 2500)) AS next_share
