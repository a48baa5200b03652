-- Of every rule what is in force, not what it said before, with its own span round `anchor` within [since, until).
SELECT
            rule, rule_place, rule_lookback,
            greatest({since:DateTime64(3, 'UTC')}, {anchor:DateTime64(3, 'UTC')} - toIntervalDay(toUInt32OrZero(rule_lookback))) AS anchored_begin,
            least({until:DateTime64(3, 'UTC')}, if(rule_lookahead = 'until_isolated', {until:DateTime64(3, 'UTC')},
                {anchor:DateTime64(3, 'UTC')} + toIntervalDay(toUInt32OrZero(rule_lookahead)))) AS anchored_end
        FROM
        (
            SELECT
                {{include:rule}} AS rule,
                place::String AS rule_place, lookback_days AS rule_lookback, lookahead_days AS rule_lookahead
            FROM contact_rules FINAL
            WHERE position(rule_id, '@') = 0
            ORDER BY rule_id, origin = 'operator' DESC, version DESC
            LIMIT 1 BY rule_id
        )
