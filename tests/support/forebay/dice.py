"""Makes PostgreSQL refuse statements at random, by a seed: the fault of transactions that meet."""

import psycopg2


class ConflictDice:
    """Every statement that writes to one of the tables throws a die; `percent` of them end in a serialization failure or
    in a deadlock. The numbers thrown are of a sequence, which no rollback takes back."""

    def __init__(self, database_url: str, tables: tuple[str, ...], percent: int, seed: int):
        self._tables = tables
        self._loses = f"abs(hashint8extended(n, {seed}) % 100) < {percent}"
        self._connection = psycopg2.connect(database_url)
        self._connection.autocommit = True
        self._execute("CREATE SEQUENCE dice")
        self._execute(
            f"""CREATE FUNCTION throw_dice() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE n bigint := nextval('dice');
                BEGIN
                  IF {self._loses} THEN
                    RAISE EXCEPTION 'throw % of the dice', n
                      USING ERRCODE = CASE n % 2 WHEN 0 THEN 'serialization_failure' ELSE 'deadlock_detected' END;
                  END IF;
                  RETURN NULL;
                END $$"""
        )
        for table in tables:
            self._execute(
                f"""CREATE TRIGGER throw_dice BEFORE INSERT OR UPDATE OR DELETE ON {table}
                    FOR EACH STATEMENT EXECUTE FUNCTION throw_dice()"""
            )

    def injected(self) -> int:
        """How many errors there were so far."""
        thrown = "(SELECT last_value FROM dice)"
        return self._execute(f"SELECT count(*) FROM generate_series(1, {thrown}) AS n WHERE {self._loses}")

    def put_away(self):
        for table in self._tables:
            self._execute(f"DROP TRIGGER throw_dice ON {table}")

    def close(self):
        self._connection.close()

    def _execute(self, statement: str):
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None
