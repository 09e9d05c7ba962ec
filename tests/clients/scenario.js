// The drivers' scenario with node-postgres: what it saw, as JSON lines.
//
// usage: node scenario.js HOST PORT USER DATABASE   (password in PGPASSWORD)
'use strict';

const {Client} = require('pg');

const [host, port, user, database] = process.argv.slice(2);

function saw(step, value) {
	console.log(JSON.stringify([step, value]));
}

async function main() {
	const client = new Client({host, port: Number(port), user, database,
		password: process.env.PGPASSWORD || undefined});
	const notices = [];
	client.on('notice', (notice) => notices.push(notice.code));
	await client.connect();

	let result = await client.query(
		'SELECT id, name, price, stock FROM products ORDER BY id LIMIT 5');
	saw('simple', result.rows);
	saw('fields', result.fields.map((f) => [f.name, f.dataTypeID]));

	result = await client.query('SELECT email, birth_date, credit_limit ' +
		'FROM customers WHERE id = $1', [7]);
	saw('parameters', result.rows);

	for (let i = 0; i < 5; i++) {
		result = await client.query({name: 'orders of',
			text: 'SELECT count(*) FROM orders WHERE customer_id = $1',
			values: [i]});
		saw('prepared', result.rows);
	}

	result = await client.query({rowMode: 'array',
		text: 'SELECT 1; SELECT 2, $$x$$'});
	saw('several', result.map((r) => r.rows));

	await client.query('BEGIN');
	result = await client.query(
		'UPDATE products SET stock = stock + 1 WHERE id = 3');
	saw('changed', [result.command, result.rowCount]);
	await client.query('ROLLBACK');

	for (const wrong of ['SELECT 1/0', 'SELECT nothing', 'SELEC 1',
		'UPDATE products SET stock = -1 WHERE id = 1']) {
		for (const values of [undefined, []]) {
			try {
				await client.query(wrong, values);
			} catch (e) {
				saw('error', [e.code, e.message, e.constraint]);
			}
		}
	}

	await client.query('COMMIT');
	saw('notices', notices);

	result = await Promise.all(Array.from({length: 20}, (_, i) =>
		client.query('SELECT $1::int * 2 AS twice', [i])));
	saw('queued', result.map((r) => r.rows[0].twice));

	result = await client.query({rowMode: 'array',
		text: 'SELECT ARRAY[1,2], \'{"a": 1}\'::jsonb, NULL, ' +
			'interval \'1 day\', numeric \'1.50\', \'naïve 東京\''});
	saw('types', result.rows);
	result = await client.query('SELECT repeat(\'x\', 5000000) AS big');
	saw('big', result.rows[0].big.length);

	await client.end();
}

main().catch((e) => {
	console.error(e);
	process.exit(1);
});
