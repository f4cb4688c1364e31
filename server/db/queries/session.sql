-- What each new connection of a server is told first; several statements, which are not prepared.
-- name: open_session
-- Queries are written in the order in which their tables are to be joined. To look for a better one took ten times as long
-- as to run them, once for each partition.
SET join_collapse_limit = 1;
-- All look rows up by their indexes. A plan that was made while a table was small, and is kept, would read the whole of it
-- when it has grown.
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
-- A bitmap gives up the index's order: to claim the first of a queue it would read and sort all that wait there.
SET enable_bitmapscan = off;
-- What is looked up is in memory nearly always. By the ordinary estimate, to walk the whole index of a table that was small
-- when the plan was made looks cheaper than to look each row up.
SET random_page_cost = 1;
-- The estimates of such plans are high, and none runs long enough to be worth compiling.
SET jit = off;
-- A server that is paused in the middle of a transaction would keep its locks from all the others: the database gives it
-- up, and what the sleeper does next fails.
SET idle_in_transaction_session_timeout = '5s'
