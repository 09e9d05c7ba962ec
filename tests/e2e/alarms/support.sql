--: as bob under support-desk on a copy
-- What people at the support desk look up and correct.

--: masked email, phone
SELECT id, name, email, phone, city FROM customers WHERE id = 7;

--: with ["bruno.berger1@example.org"]
--: masked email
SELECT id, name, email FROM customers WHERE email = $1;

SELECT o.id, o.status, o.ordered_at, p.name FROM orders o JOIN products p ON p.id = o.product_id WHERE o.customer_id = 7 ORDER BY o.ordered_at DESC LIMIT 20;

SELECT count(*) AS "open" FROM orders WHERE status IN ('new', 'packed');

SELECT id, order_id, note, updated_at FROM order_notes WHERE order_id = 7;

--: masked card_number
SELECT card_number, amount, paid_at FROM payments WHERE order_id = 7;

SELECT sum(amount) FROM payments WHERE order_id BETWEEN 1 AND 20;

BEGIN;

UPDATE orders SET status = 'delivered' WHERE id = 7;

UPDATE order_notes SET note = 'asked to DROP the parcel; DELETE the old address', updated_at = '2025-02-02' WHERE id = 7 RETURNING id, note;

SELECT status FROM orders WHERE id = 7;

COMMIT;
