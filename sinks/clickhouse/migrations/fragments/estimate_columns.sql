-- The estimate, with two standard deviations either way, of `named` people in the sample and `known` besides; and the share
-- to ask for where that is wider than 5 %: one that names some 3,000.
SELECT
    toUInt64(round(known + named / part)) AS people,
    toUInt64(known + greatest(toFloat64(named), floor((named - 2 * sqrt(named * (1 - part))) / part))) AS at_least,
    toUInt64(known + ceil((named + 2 * sqrt(named * (1 - part))) / part)) AS at_most,
    part AS share,
    if(part = 1 OR (named >= 12 AND at_most - at_least <= 0.1 * people), NULL, if(named < 12, 1., least(1., 3000 * part / named))) AS next_share
