-- When all pieces that two people have in common begin and end.
arraySort(groupArray(bitShiftLeft(toUInt128(place_key), 64) + toUInt128(begin_ms))) AS begins,
                arraySort(groupArray(bitShiftLeft(toUInt128(place_key), 64) + toUInt128(end_ms))) AS ends
