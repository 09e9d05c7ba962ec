--: as nightly-sync under batch-job on a copy
-- What the batch job does each night.

SET statement_timeout = 0;

BEGIN;

TRUNCATE warehouse.order_facts, warehouse.item_facts;

INSERT INTO warehouse.order_facts SELECT * FROM public.orders WHERE ordered_at >= '2025-01-01' AND ordered_at < '2025-02-01';

INSERT INTO warehouse.item_facts (id, order_id, things) SELECT i.id, i.order_id, i.things FROM order_items i;

COMMIT;

SELECT max(ordered_at), count(*) FROM orders;

SELECT o.status, count(i.id) FROM public.orders o LEFT JOIN public.order_items i ON i.order_id = o.id GROUP BY o.status ORDER BY o.status;
