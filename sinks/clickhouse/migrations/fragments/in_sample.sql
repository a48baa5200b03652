(part >= 1 OR person_token < toFixedString(unhex(concat(leftPad(hex(toUInt32(part * 4294967295)), 8, '0'), repeat('0', 24))), 16))
