-- Scans made before it and stored by now were all there when stays were settled last: the last settlement's `until`, or the
-- earliest scan stored late since. 1970 where nothing is settled, or when a category has other minutes than then.
    (
        SELECT assumeNotNull(min(at))
        {{include:settled_when}}
    ) AS settled_at
