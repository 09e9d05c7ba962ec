--: as alice+copilot under read-only-agent
-- What agents write themselves.

SELECT * FROM orders ORDER BY ordered_at DESC LIMIT 10;

SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name;

SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'orders' ORDER BY ordinal_position;

SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table_name, ccu.column_name AS foreign_column_name FROM information_schema.table_constraints AS tc JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name AND tc.table_schema = kcu.table_schema JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY' ORDER BY 1, 2, 3, 4;

-- How many orders were there in each month?
SELECT to_char(ordered_at, 'YYYY-MM') AS month, COUNT(*) AS orders, SUM(quantity) AS items
FROM orders
GROUP BY 1
ORDER BY 1;

WITH monthly AS (
    SELECT date_trunc('month', o.ordered_at) AS month, SUM(o.quantity * p.price) AS revenue
    FROM orders o JOIN products p ON p.id = o.product_id
    WHERE o.status <> 'returned'
    GROUP BY 1
)
SELECT month::date, revenue,
       LAG(revenue) OVER (ORDER BY month) AS previous,
       ROUND(100.0 * (revenue - LAG(revenue) OVER (ORDER BY month)) / NULLIF(LAG(revenue) OVER (ORDER BY month), 0), 2) AS growth_pct
FROM monthly
ORDER BY month;

--: masked name, email
SELECT c.id, c.name, c.email, COUNT(o.id) AS order_count
FROM customers c
LEFT JOIN orders o ON o.customer_id = c.id
GROUP BY c.id
ORDER BY c.id
LIMIT 10;

--: masked name
SELECT c.id, c.name, t.total FROM customers c JOIN (SELECT customer_id, SUM(quantity) AS total FROM orders GROUP BY customer_id) t ON t.customer_id = c.id ORDER BY t.total DESC, c.id LIMIT 5;

SELECT c.city, COUNT(DISTINCT c.id) AS customers, COUNT(o.id) AS orders, ROUND(AVG(o.quantity), 2) AS average FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.city HAVING COUNT(o.id) > 10 ORDER BY orders DESC, c.city;

SELECT max(created_at), min(created_at), count(*), count(DISTINCT country), sum(loyalty), avg(credit_limit)::numeric(10,2) FROM customers;

SELECT id, city, created_at::date FROM customers WHERE created_at > '2024-06-01'::date - INTERVAL '30 days' AND created_at < '2024-06-02' ORDER BY id;

SELECT COUNT(*) FROM orders WHERE ordered_at >= NOW() - INTERVAL '7 days' AND ordered_at < now() + interval '100 years' AND ordered_at < '2025-01-02';

SELECT DISTINCT ON (customer_id) customer_id, id, status, ordered_at FROM orders ORDER BY customer_id, ordered_at DESC LIMIT 20;

SELECT a.id, a.title, latest.body, latest.likes FROM articles a CROSS JOIN LATERAL (SELECT body, likes FROM comments c WHERE c.article_id = a.id ORDER BY likes DESC, id LIMIT 1) latest ORDER BY a.id LIMIT 10;

SELECT a.id, t.tag, t.position FROM articles a, unnest(a.tags) WITH ORDINALITY AS t(tag, position) WHERE a.id <= 5 ORDER BY a.id, t.position;

SELECT d::date AS day, COUNT(o.id) FROM generate_series('2025-01-01'::date, '2025-01-10'::date, '1 day') AS d LEFT JOIN orders o ON o.ordered_at::date = d::date GROUP BY d ORDER BY d;

SELECT payload->>'page' AS page, COUNT(*), SUM((payload->>'price')::numeric) AS total FROM events WHERE payload ? 'price' AND (payload->'items'->>0)::int = 1 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5;

SELECT key, value FROM events, jsonb_each_text(payload) WHERE id = 3 ORDER BY key;

SELECT jsonb_array_elements_text(payload->'items') AS item, count(*) FROM events GROUP BY 1 ORDER BY 1;

SELECT jsonb_path_query_array(payload, '$.items[*] ? (@ > 2)') FROM events ORDER BY id LIMIT 5;

SELECT id FROM events WHERE payload @> '{"update": true}' AND payload #>> '{items,1}' = '2' AND payload ?| array['page', 'x'] ORDER BY id LIMIT 5;

SELECT jsonb_build_object('id', id, 'kind', kind, 'at', to_char(at, 'YYYY-MM-DD"T"HH24:MI')) FROM events ORDER BY id LIMIT 3;

SELECT json_agg(row_to_json(t)) FROM (SELECT id, title FROM articles ORDER BY id LIMIT 3) t;

SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM orders GROUP BY status) s;

SELECT author_id, string_agg(title, ', ' ORDER BY id) AS titles, array_agg(id ORDER BY id DESC) AS ids FROM articles WHERE author_id <= 3 GROUP BY author_id ORDER BY author_id;

SELECT string_agg(DISTINCT status, '|' ORDER BY status) FROM orders;

SELECT regexp_replace(title, '[^0-9]', '', 'g') AS digits, regexp_matches(title, '(\w+) (\d+)') AS parts, substring(title from '\d+') AS n FROM articles ORDER BY id LIMIT 5;

SELECT title FROM articles WHERE title ~* '^article (1|2)$' OR title SIMILAR TO '%(7|8)0%' OR title !~ 'Article' ORDER BY id;

SELECT split_part(slug, '-', 2)::int AS n, initcap(state::text), length(body), upper(left(title, 3)) || lower(right(title, 2)), lpad(id::text, 5, '0'), concat_ws('/', id, slug) FROM articles ORDER BY id LIMIT 5;

WITH RECURSIVE thread AS (
    SELECT id, parent_id, 1 AS depth, ARRAY[id] AS path FROM comments WHERE id = 50
    UNION ALL
    SELECT c.id, c.parent_id, t.depth + 1, t.path || c.id FROM comments c JOIN thread t ON c.parent_id = t.id WHERE NOT c.id = ANY(t.path)
)
SELECT * FROM thread ORDER BY path;

WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i), array_agg(i) FROM n;

WITH ranked AS (SELECT product_id, status, ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY quantity DESC, id) AS rn FROM orders), best AS (SELECT * FROM ranked WHERE rn = 1) SELECT p.name, b.status FROM best b JOIN products p ON p.id = b.product_id ORDER BY p.id LIMIT 5;

SELECT p.name AS product, SUM(o.quantity) AS sold, RANK() OVER (ORDER BY SUM(o.quantity) DESC) AS rank, NTILE(4) OVER (ORDER BY SUM(o.quantity)) AS quartile FROM products p JOIN orders o ON o.product_id = p.id GROUP BY p.id, p.name ORDER BY rank, p.id LIMIT 10;

SELECT status, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS percentage FROM orders GROUP BY status ORDER BY status;

SELECT CASE WHEN loyalty >= 750 THEN 'gold' WHEN loyalty >= 500 THEN 'silver' ELSE 'bronze' END AS tier, COUNT(*) FROM customers GROUP BY 1 ORDER BY 1;

SELECT EXTRACT(DOW FROM ordered_at) AS dow, EXTRACT(HOUR FROM ordered_at) AS hour, COUNT(*) FROM orders GROUP BY dow, hour ORDER BY dow, hour;

SELECT age('2025-03-01'::date, '2024-01-15'::date), date_part('epoch', interval '1 hour'), make_date(2025, 1, 31) + interval '1 month', to_date('2025/02/03', 'YYYY/MM/DD'), date '2025-01-01' + 7, timestamp '2025-01-01 10:00' AT TIME ZONE 'Europe/Berlin';

SELECT id FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE city = 'Cork') AND product_id NOT IN (1, 2) AND EXISTS (SELECT 1 FROM products p WHERE p.id = orders.product_id AND p.price > 100) ORDER BY id LIMIT 10;

SELECT status FROM orders WHERE id = 1 UNION SELECT kind FROM events WHERE id = 1 UNION ALL SELECT 'delete' ORDER BY 1;

(SELECT id FROM orders ORDER BY id LIMIT 2) INTERSECT (SELECT id FROM products) EXCEPT (SELECT 1) ORDER BY 1;

SELECT coalesce(nullif(status, 'new'), 'fresh') AS status, greatest(quantity, 2), least(quantity, 2) FROM orders ORDER BY id LIMIT 5;

SELECT ARRAY(SELECT id FROM products ORDER BY id LIMIT 3) AS ids, ARRAY[1, 2] || 3 AS more, (ARRAY['a', 'b'])[1] AS first, array_length(ARRAY[1, 2], 1), 2 = ANY(ARRAY[1, 2]), cardinality('{1,2,3}'::int[]);

SELECT o.id, o.status, c.city FROM orders o INNER JOIN customers c ON c.id = o.customer_id WHERE c.country = 'NO' AND o.status IN ('new', 'packed') ORDER BY o.id LIMIT 20;

SELECT customer_id, count(*) FROM orders GROUP BY customer_id HAVING count(*) >= 3 ORDER BY count(*) DESC, customer_id LIMIT 5;

SELECT p.paid_at, sum(p.amount) FROM payments p GROUP BY p.paid_at ORDER BY p.paid_at LIMIT 10;

SELECT extract(month from paid_at) AS month, count(*), sum(amount), avg(amount)::numeric(12,2), max(amount) FROM payments GROUP BY 1 ORDER BY 1;

--: masked card_number
SELECT card_number, amount FROM payments ORDER BY id, paid_at LIMIT 5;

--: masked mail
SELECT id, mail FROM contacts ORDER BY id LIMIT 5;

--: masked loud
SELECT id, loud FROM shouted ORDER BY id LIMIT 5;

--: masked body
SELECT id, body FROM tickets ORDER BY id LIMIT 10;

SELECT count(*) FROM tickets;

SELECT perk, count(*) FROM vip_customers GROUP BY perk;

--: with ["bruno.berger1@example.org"]
SELECT id, city, loyalty FROM customers WHERE email = $1;

SELECT id, city FROM customers WHERE email = 'bruno.berger1@example.org';

--: with ["bruno.berger1@example.org"]
SELECT o.id, o.status FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = $1 ORDER BY o.id;

--: masked email
SELECT id, email AS email FROM customers WHERE city = 'Bergen' AND credit_limit > 1000 ORDER BY id LIMIT 5;

SELECT version() LIKE 'PostgreSQL%' AS is_postgres, current_date <= now()::date AS today;

SELECT pg_size_pretty(12345678::bigint), pg_typeof(1), gen_random_uuid() IS NOT NULL, random() < 2, md5('x'), encode(sha256('x'), 'hex'), to_hex(255), ascii('A'), chr(65), repeat('ab', 3), reverse('abc'), translate('12', '1', 'a'), format('%s-%s', 1, 2);

SELECT relname, reltuples >= 0 AS known FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname;

SELECT c.relname, pg_total_relation_size(c.oid) > 0 AS has_size FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1;

SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'articles' ORDER BY 1;

SELECT visitor, count(*) FROM events GROUP BY visitor ORDER BY visitor LIMIT 20;

SELECT DISTINCT visitor::text FROM events ORDER BY 1 LIMIT 300;

SELECT id * 1000003 AS big, extract(epoch from at)::bigint AS epoch, extract(epoch from at)::bigint * 1000 AS millis, took FROM events ORDER BY id LIMIT 1000;

SELECT md5(id::text), encode(sha256(id::text::bytea), 'hex'), at::text, to_char(at, 'YYYYMMDDHH24MISS') FROM events ORDER BY id LIMIT 1000;

SELECT '192.0.2.' || id % 200 AS host, '1.2.' || id || '.4' AS version, 'ORD-' || lpad(id::text, 10, '0') AS number FROM orders ORDER BY id LIMIT 1000;

SELECT id, price, stock, price * stock AS value FROM products WHERE name ILIKE '%lantern%' ORDER BY value DESC, id;

SELECT ROW(1, 'a'), (2, 'b') = (2, 'b') AS same, (ROW(1, 2)).f1;

VALUES (1, 'one'), (2, 'two');

SELECT * FROM (VALUES (1, 'delete'), (2, 'update')) AS v (id, word) WHERE word = 'delete';

TABLE products LIMIT 3;

SELECT * FROM jsonb_to_recordset('[{"a":1,"b":"x"},{"a":2,"b":"y"}]') AS x(a int, b text);

SELECT xmlelement(name a, xmlattributes(1 AS b), 'c'), xmlforest(1 AS x);

SELECT * FROM orders NATURAL JOIN (SELECT 7 AS id) t;

SELECT o.id FROM orders o FULL OUTER JOIN products p ON p.id = o.id WHERE o.id IS NULL OR p.id = 3 ORDER BY 1;

SELECT id FROM orders ORDER BY ordered_at DESC NULLS LAST FETCH FIRST 3 ROWS WITH TIES;

SELECT count(*) FROM orders o WHERE (o.customer_id, o.product_id) IN ((8, 2), (15, 3));

SELECT to_tsvector('english', 'The quick brown fox') @@ to_tsquery('english', 'quick & fox') AS hit, ts_headline('english', 'a quick fox', to_tsquery('quick')) AS shown;

SELECT daterange('2025-01-01', '2025-02-01') && daterange('2025-01-15', '2025-03-01') AS overlap, tstzrange(now(), now() + interval '1 h') @> now() AS inside, '[1,5)'::int4range * '[3,8)'::int4range AS common;

SELECT 'abc' COLLATE "C" < 'abd' AS less, title COLLATE "C" FROM articles ORDER BY title COLLATE "C" LIMIT 3;
