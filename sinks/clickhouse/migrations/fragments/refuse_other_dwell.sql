-- Ends the question where another way to end stays is asked for than settled stays know.
throwIf(ifNull({dwell:Nullable(String)}, 'best') NOT IN ('best', 'default'),
                'settled stays end by best or default; ask contacts_of for other ways')
