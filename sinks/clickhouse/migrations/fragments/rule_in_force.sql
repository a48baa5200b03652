-- The rule that is asked for: an operator's version before one that was shipped.
SELECT {{include:rule}} AS rule
FROM contact_rules FINAL
WHERE rule_id = ifNull({rule_id:Nullable(String)}, 'any_overlap')
ORDER BY origin = 'operator' DESC, version DESC
LIMIT 1
