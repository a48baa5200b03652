-- What the comment of an estimate out of settled stays says of its share; stands within quotes.
share (0 to 1: of all people, how many to look at; a small city''s everybody, else some 400,000 stays, unless given)
