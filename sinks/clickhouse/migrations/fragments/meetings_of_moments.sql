-- Meetings are stretches at one place without a gap. A moment is one number, the place in its upper 64 bits and ms since 1970
-- in its lower: begins and ends are then sorted each for itself, and quicker than tuples. The n-th begin opens a stretch when
-- the n - 1 before it have ended sooner, or elsewhere; the n-th end closes one when the next begin is later, or elsewhere.
* EXCEPT (begins, ends),
            arrayMap(moment -> toInt64(moment), arrayFilter((begin, before) -> before < begin,
                begins, arrayPushFront(arrayPopBack(ends), toUInt128(0)))) AS starts,
            arrayMap(moment -> toInt64(moment), arrayFilter((end, after) -> end < after,
                ends, arrayPushBack(arrayPopFront(begins), bitNot(toUInt128(0))))) AS stops
