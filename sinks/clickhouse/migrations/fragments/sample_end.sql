-- The first token that is not in the sample; above all others where everybody is. A text of its own, worked out once: what is
-- not a constant by itself picks no granules.
(SELECT assumeNotNull(if(part >= 1, unhex(repeat('ff', 17)), unhex(leftPad(hex(toUInt32(part * 4294967295)), 8, '0'))))) AS sample_end
