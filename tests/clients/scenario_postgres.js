// The drivers' scenario with porsager's postgres. See steps.js.
'use strict';

const {pipeline} = require('stream/promises');
const {Readable} = require('stream');
const postgres = require('postgres');
const s = require('./steps');
const {attempt, saw} = s;

function open(more = {}) {
	return postgres({host: s.host, port: Number(s.port), user: s.user,
		database: s.database, password: process.env.PGPASSWORD, max: 1,
		onnotice: () => {}, ...more});
}

function sawResult(r) {
	saw(r.command, r.count, r.columns && r.columns.map((c) =>
		[c.name, c.type, c.table, c.number]));
	for (const row of r)
		saw(row);
}

async function collected(stream) {
	const parts = [];
	for await (const part of stream)
		parts.push(part);
	return Buffer.concat(parts);
}

const steps = {
	async connection() {
		const tuned = open({connection: {work_mem: '123kB',
			DateStyle: 'sql, dmy'}});
		sawResult(await tuned`SELECT current_setting('work_mem') AS mem,
			current_setting('DateStyle') AS dates, current_user,
			session_user, current_database()`);
		const {application_name, ...told} = tuned.parameters;
		saw(typeof application_name, told);
		await tuned.end();
	},
	async types(c) {
		sawResult(await c`SELECT * FROM every_type ORDER BY n`);
		sawResult(await c`SELECT * FROM every_type ORDER BY n`.simple());
		for (const row of await c`SELECT * FROM every_type
			ORDER BY n`.raw())
			saw(row.map((value) => value && value.toString()));
	},
	async parameters(c) {
		const rows = await c`SELECT * FROM every_type WHERE n < 5
			ORDER BY n`;
		await c`CREATE TEMP TABLE again (LIKE every_type)`;
		for (const row of rows) {
			// lists of these types it does not know how to write
			delete row.blobs;
			delete row.instants;
			delete row.weathers;
			delete row.boxes;
			delete row.grid;
			await attempt(() => c`INSERT INTO again ${c(row)}`);
		}
		sawResult(await c`SELECT e.n, a.words = e.words AS same,
			a.exact = e.exact AS exact, a.parsed = e.parsed AS parsed
			FROM again a JOIN every_type e USING (n) ORDER BY n`);
		sawResult(await c`SELECT ${c.json({a: [1]})}::jsonb AS j,
			${c.array(['x', 'a "b"'])}::text[] AS a,
			${new Date(0)}::timestamptz AS d,
			${Buffer.from('é')}::bytea AS b, ${null}::int AS n,
			${'1e10'}::numeric AS e, ${true}::bool AS t`);
	},
	async prepared(c) {
		for (let i = 0; i < 20; i++)
			sawResult(await c`SELECT count(*), max(status) FROM orders
				WHERE customer_id = ${i}`);
		sawResult(await c`SELECT statement FROM pg_prepared_statements
			WHERE statement LIKE '%orders%' AND NOT
			statement LIKE '%prepared%'`);
		await attempt(() => c`SELECT 1 / ${0}::int`);
		sawResult(await c`SELECT 1 / ${1}::int AS one`);
		const {types, columns} =
			await c`SELECT ${1}::int + ${2} AS sum`.describe();
		saw(types, columns);
	},
	async transaction(c) {
		await c`TRUNCATE ledger`;
		await c.begin(async (t) => {
			await t`INSERT INTO ledger VALUES (1, 'kept', 1)`;
			await attempt(() => t.savepoint(async (inner) => {
				await inner`INSERT INTO ledger VALUES (2, 'lost', 1)`;
				await inner`SELECT 1/0`;
			}));
			await t.savepoint((inner) =>
				inner`INSERT INTO ledger VALUES (3, 'kept', 1)`);
		});
		await attempt(() => c.begin('READ ONLY', (t) =>
			t`DELETE FROM ledger`));
		await attempt(() => c.begin(async (t) => {
			await t`INSERT INTO ledger VALUES (4, 'lost', 1)`;
			throw new Error('rolled back');
		}));
		sawResult(await c`SELECT * FROM ledger ORDER BY id`);
	},
	async cursor(c) {
		await c`SELECT id, status FROM orders WHERE id <= 25
			ORDER BY id`.cursor(10, (rows) => saw(rows));
		let parts = 0;
		await c`SELECT id FROM orders ORDER BY id`.cursor(3, (rows) => {
			saw(rows);
			return ++parts === 2 ? c.CLOSE : undefined;
		});
		for await (const [row] of c`SELECT generate_series(1, 3)
			AS n`.cursor())
			saw(row);
		await attempt(() => c`SELECT 10 / (5 - n) AS q FROM
			generate_series(1, 9) n`.cursor(3, (rows) => saw(rows)));
		const each = [];
		await c`SELECT id FROM orders WHERE id <= 50 ORDER BY id`.forEach(
			(row) => each.push(row.id));
		saw(each);
	},
	async batch(c) {
		const results = await Promise.all(Array.from({length: 100},
			(_, i) => c`SELECT ${i}::int * 2 AS twice`));
		saw(results.map((r) => r[0].twice));
		const mixed = await Promise.allSettled([
			c`TRUNCATE ledger`,
			c`INSERT INTO ledger VALUES (${1}, ${'a'}, 1)`,
			c`SELECT 1 / ${0}::int`, c`SELEC`,
			c`SELECT count(*) FROM ledger`]);
		saw(mixed.map((m) => m.value || m.reason.code));
		const rows = Array.from({length: 500}, (_, i) =>
			({id: i + 10, what: `no. ${i}`, amount: i}));
		saw((await c`INSERT INTO ledger ${c(rows)}`).count);
	},
	async several(c) {
		for (const r of await c`SELECT 1 AS a; SELECT 2, 'x';
			TRUNCATE ledger; SELECT 3 WHERE false`.simple())
			sawResult(r);
		await attempt(() => c.unsafe('INSERT INTO ledger VALUES ' +
			'(9, \'undone\', 1); SELECT 1/0; SELECT 2'));
		sawResult(await c`TABLE ledger`);
	},
	async copy(c) {
		await c`CREATE TEMP TABLE again (LIKE every_type)`;
		for (const format of ['text', 'csv', 'binary']) {
			const data = await collected(await c.unsafe(
				`COPY every_type TO STDOUT (FORMAT ${format})`)
				.readable());
			saw(format, data.toString('base64'));
			await pipeline(Readable.from([data]), await c.unsafe(
				`COPY again FROM STDIN (FORMAT ${format})`).writable());
		}
		sawResult(await c`SELECT e.n, count(*), bool_and(a::text = e::text)
			FROM again a JOIN every_type e USING (n) GROUP BY e.n
			ORDER BY n`);
		await c`TRUNCATE ledger`;
		await pipeline(Readable.from(['1\ta\t1\t\\N\n', '2\tb\t2\t\\N\n']),
			await c`COPY ledger FROM STDIN`.writable());
		sawResult(await c`SELECT * FROM ledger ORDER BY id`);
	},
	async notify(c) {
		const heard = [];
		const listening = open();
		await listening.listen('gale', (payload) => heard.push(payload));
		for (const payload of ['one', '', 'naïve 東京'])
			await c.notify('gale', payload);
		await s.until(() => heard.length >= 3 ||
			c`SELECT 1`.then(() => false));
		saw(heard);
		await listening.end();
	},
	async cancel(c) {
		const other = open();
		const [{pid}] = await c`SELECT pg_backend_pid() AS pid`;
		const query = c`SELECT pg_sleep(60)`;
		const running = attempt(() => query);
		await s.until(async () => (await other`SELECT 1 FROM
			pg_stat_activity WHERE pid = ${pid} AND
			wait_event = 'PgSleep'`).count);
		query.cancel();
		await running;
		sawResult(await c`SELECT 'on it goes' AS said`);
		await c`SET statement_timeout = 50`;
		await attempt(() => c`SELECT pg_sleep(60)`);
		await other.end();
	},
	async errors(c) {
		await c`TRUNCATE ledger`;
		for (const wrong of s.WRONG) {
			await attempt(() => c.unsafe(wrong));
			await attempt(() => c.unsafe(wrong, [], {prepare: true}));
		}
		await attempt(() => c`SELECT ${'x'}::int`);
	},
	async large(c) {
		const text = 'naïve 東京 '.repeat(400000);
		let [row] = await c`SELECT ${text}::text AS big`;
		saw(row.big.length, row.big === text);
		[row] = await c`SELECT ${Buffer.from(text)}::bytea AS big`;
		saw(row.big.length, row.big.equals(Buffer.from(text)));
	},
	async columns(c) {
		const numbers = Array.from({length: 1600}, (_, i) => i);
		const [row] = await c.unsafe('SELECT ' + numbers.map((i) =>
			`$${i + 1}::int AS column_${i}`).join(), numbers);
		saw(Object.keys(row).length,
			Object.values(row).reduce((sum, i) => sum + i, 0));
	},
	async notices() {
		const noisy = open({onnotice: (n) => s.sawError(n)});
		await noisy`COMMIT`;
		await noisy`DROP TABLE IF EXISTS nowhere`;
		sawResult(await noisy`SELECT speak('NOTICE', 'a word')`);
		sawResult(await noisy`SELECT speak('WARNING', ${'two'})`);
		await noisy.end();
	},
	async settings(c) {
		for (const text of ['SET TimeZone = \'Asia/Tokyo\'',
			'SELECT instant::text FROM every_type WHERE n = 1',
			'SET search_path = harbour, public',
			'SELECT * FROM products LIMIT 1', 'RESET search_path',
			'SELECT * FROM products ORDER BY id LIMIT 1',
			'SET ROLE clerk', 'SELECT current_user, session_user',
			'RESET ROLE', 'DISCARD ALL'])
			sawResult(await c.unsafe(text));
		saw(c.parameters.TimeZone !== 'Asia/Tokyo');
	},
	async two(c) {
		const other = open();
		await c`TRUNCATE ledger`;
		let waiting;
		await c.begin(async (t) => {
			await t`INSERT INTO ledger VALUES (1, 'one', 1)`;
			sawResult(await other`SELECT count(*) FROM ledger`);
			waiting = attempt(() =>
				other`INSERT INTO ledger VALUES (1, 'other', 1)`);
		});
		await waiting;
		sawResult(await other`TABLE ledger`);
		await other.end();
	},
	async socket() {
		const near = open({path: `${s.folder}/.s.PGSQL.${s.port}`});
		sawResult(await near`SELECT id, name FROM products ORDER BY id
			LIMIT 3`);
		await near.end();
	},
	async empty(c) {
		for (const text of ['', ';', 'SELECT 1 WHERE false',
			'SELECT \'\' AS nothing'])
			sawResult(await c.unsafe(text));
	},
};

const ways = {
	plain(c) {
		return c.unsafe(s.CUSTOMERS);
	},
	prepared(c) {
		return c.unsafe(s.CUSTOMERS, [], {prepare: true});
	},
	async in_parts(c) {
		const rows = [];
		await c.unsafe(s.CUSTOMERS).cursor(7, (some) => {
			rows.push(...some);
		});
		return rows;
	},
	async copied(c) {
		const data = await collected(await c.unsafe(
			`COPY (${s.CUSTOMERS}) TO STDOUT`).readable());
		return String(data).trimEnd().split('\n').map((line) => {
			const [id, email, card_number, day, credit_limit, city] =
				line.split('\t');
			return {id, email, card_number, credit_limit, city,
				birth_date: new Date(day)};
		});
	},
};

s.run({steps, ways, connect: async () => open(),
	end: (c) => c.end({timeout: 5})});
