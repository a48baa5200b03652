"""ClickHouse: migrations, the sink that fills the tables, and the queries on them."""
