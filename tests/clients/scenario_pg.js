// The drivers' scenario with node-postgres, pg-cursor and pg-copy-streams.
// See steps.js.
'use strict';

const {finished} = require('stream/promises');
const {Readable, Writable} = require('stream');
const {pipeline} = require('stream/promises');
const {Client} = require('pg');
const copy = require('pg-copy-streams');
const Cursor = require('pg-cursor');
const s = require('./steps');
const {attempt, saw} = s;

const TYPES = 'SELECT * FROM every_type ORDER BY n';

function connect(more = {}) {
	const client = new Client({host: s.host, port: Number(s.port),
		user: s.user, database: s.database, ...more});
	return client.connect().then(() => client);
}

function sawResult(r) {
	saw(r.command, r.rowCount, r.fields.map((f) => [f.name, f.tableID,
		f.columnID, f.dataTypeID, f.dataTypeSize, f.dataTypeModifier,
		f.format]));
	for (const row of r.rows)
		saw(row);
}

async function collected(stream) {
	const parts = [];
	for await (const part of stream)
		parts.push(part);
	return Buffer.concat(parts);
}

async function copyIn(c, statement, data) {
	const into = c.query(copy.from(statement));
	await pipeline(Readable.from([data]), into);
	return into.rowCount;
}

// Cancelled by another connection once it sleeps.
async function cancelled(c, text) {
	const running = attempt(() => c.query(text));
	const other = await connect();
	await s.until(async () => (await other.query(
		'SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND ' +
		'wait_event = \'PgSleep\'', [c.processID])).rowCount);
	await other.end();
	const canceller = new Client({host: s.host, port: Number(s.port),
		user: s.user, database: s.database});
	canceller.connection.once('connect', () =>
		canceller.connection.cancel(c.processID, c.secretKey));
	canceller.connection.connect(Number(s.port), s.host);
	await running;
}

const steps = {
	async connection(c) {
		const tuned = await connect(
			{options: '-c work_mem=123kB -c datestyle=sql,dmy'});
		sawResult(await tuned.query('SELECT current_setting($1), ' +
			'current_user, session_user, current_database(), ' +
			'current_setting($2)', ['work_mem', 'DateStyle']));
		await tuned.end();
		const r = await c.query('SELECT pg_backend_pid() AS pid');
		saw('its process id:', r.rows[0].pid === c.processID);
		const told = {};
		const watched = new Client({host: s.host, port: Number(s.port),
			user: s.user, database: s.database});
		watched.connection.on('parameterStatus', (m) => {
			if (m.parameterName !== 'application_name')
				told[m.parameterName] = m.parameterValue;
		});
		await watched.connect();
		saw(told);
		await watched.end();
	},
	async types(c) {
		sawResult(await c.query(TYPES));
		sawResult(await c.query({text: TYPES, rowMode: 'array',
			types: {getTypeParser: () => (text) => text}}));
	},
	async binary(c) {
		// this version makes strings of binary values, too
		sawResult(await c.query({text: TYPES, binary: true,
			types: {getTypeParser: () => (text) =>
				Buffer.from(text).toString('hex')}}));
		sawResult(await c.query({binary: true, text: 'SELECT $1::int, ' +
			'$2::bool, $3::text, $4::bytea', values: [7, true, 'é',
			Buffer.from([0, 255])]}));
	},
	async parameters(c) {
		await c.query('CREATE TEMP TABLE again (LIKE every_type)');
		const r = await c.query({text: TYPES, rowMode: 'array',
			types: {getTypeParser: () => (text) => text}});
		const places = r.fields.map((_, i) => `$${i + 1}`).join();
		for (const row of r.rows)
			await c.query(`INSERT INTO again VALUES (${places})`, row);
		sawResult(await c.query('SELECT e.n, a::text = e::text AS same ' +
			'FROM again a JOIN every_type e USING (n) ORDER BY n'));
		sawResult(await c.query('SELECT $1::jsonb, $2::text[], ' +
			'$3::timestamptz, $4::bytea, $5::int, $6::numeric', [
			{a: [1]}, ['x', null, 'a "b"'], new Date(0),
			Buffer.from('é'), null, '1e10']));
	},
	async prepared(c) {
		for (let i = 0; i < 20; i++)
			sawResult(await c.query({name: 'orders of',
				text: 'SELECT count(*), max(status) FROM orders ' +
				'WHERE customer_id = $1', values: [i]}));
		await attempt(() => c.query({name: 'bad', text: 'SELEC'}));
		await attempt(() => c.query({name: 'div',
			text: 'SELECT 1 / $1::int', values: [0]}));
		sawResult(await c.query({name: 'div',
			text: 'SELECT 1 / $1::int', values: [1]}));
		sawResult(await c.query(
			'SELECT name, statement FROM pg_prepared_statements'));
	},
	async transaction(c) {
		for (const text of ['TRUNCATE ledger', 'BEGIN',
			'INSERT INTO ledger VALUES (1, \'kept\', 1)',
			'SAVEPOINT here',
			'INSERT INTO ledger VALUES (1, \'twice\', 1)',
			'SELECT 1', 'ROLLBACK TO SAVEPOINT here',
			'INSERT INTO ledger VALUES (2, \'kept\', 1)', 'COMMIT',
			'BEGIN', 'INSERT INTO ledger VALUES (3, \'lost\', 1)',
			'SELECT 1/0', 'COMMIT', 'SELECT * FROM ledger ORDER BY id'])
			try {
				sawResult(await c.query(text));
			} catch (e) {
				s.sawError(e);
			}
	},
	async cursor(c) {
		const some = c.query(new Cursor(
			'SELECT id, status FROM orders WHERE id > $1 ORDER BY id',
			[5]));
		saw(await some.read(3));
		saw(await some.read(7));
		await some.close();
		const all = c.query(new Cursor('SELECT id FROM orders ' +
			'WHERE id <= 25 ORDER BY id', [], {rowMode: 'array'}));
		for (;;) {
			const rows = await all.read(10);
			saw(rows);
			if (rows.length === 0)
				break;
		}
		await all.close();
		const bad = c.query(new Cursor('SELECT 10 / (5 - n) AS q ' +
			'FROM generate_series(1, 9) n'));
		saw(await bad.read(3));
		await attempt(() => bad.read(3));
		await bad.close();
		saw(await c.query('SELECT 1 AS one').then((r) => r.rows));
	},
	async batch(c) {
		const results = await Promise.all(Array.from({length: 50},
			(_, i) => c.query('SELECT $1::int * 2 AS twice', [i])));
		saw(results.map((r) => r.rows[0].twice));
		const mixed = await Promise.allSettled([
			c.query('TRUNCATE ledger'),
			c.query('INSERT INTO ledger VALUES ($1, $2, 1)', [1, 'a']),
			c.query('SELECT 1/0'),
			c.query('SELECT 1 / $1::int', [0]),
			c.query('SELECT count(*) FROM ledger')]);
		saw(mixed.map((m) => m.value ? m.value.rows : m.reason.code));
	},
	async several(c) {
		for (const r of await c.query('SELECT 1 AS a; SELECT 2, $$x$$; ' +
			'TRUNCATE ledger; SELECT 3 WHERE false'))
			sawResult(r);
		await attempt(() => c.query('INSERT INTO ledger VALUES ' +
			'(9, \'undone\', 1); SELECT 1/0; SELECT 2'));
		sawResult(await c.query('TABLE ledger'));
	},
	async copy(c) {
		await c.query('CREATE TEMP TABLE again (LIKE every_type)');
		for (const format of ['text', 'csv', 'binary']) {
			const data = await collected(c.query(copy.to(
				`COPY every_type TO STDOUT (FORMAT ${format})`)));
			saw(format, data.toString('base64'));
			saw(await copyIn(c,
				`COPY again FROM STDIN (FORMAT ${format})`, data));
		}
		sawResult(await c.query('SELECT e.n, count(*), ' +
			'bool_and(a::text = e::text) FROM again a JOIN ' +
			'every_type e USING (n) GROUP BY e.n ORDER BY n'));
		saw(String(await collected(c.query(copy.to('COPY (SELECT id, ' +
			'status FROM orders ORDER BY id LIMIT 5) TO STDOUT ' +
			'CSV HEADER')))));
		await c.query('TRUNCATE ledger');
		saw(await copyIn(c, 'COPY ledger FROM STDIN',
			'1\ta\t1\t\\N\n2\tb\t2\t\\N\n'));
		await attempt(() => copyIn(c, 'COPY ledger FROM STDIN',
			'1\ttwice\t1\t\\N\n'));
		await attempt(() => copyIn(c, 'COPY ledger FROM STDIN', 'x\n'));
		await attempt(() => collected(c.query(copy.to(
			'COPY nowhere TO STDOUT'))));
		const given = c.query(copy.from('COPY ledger FROM STDIN'));
		given.write('7\tx\t1\t1\n');
		given.destroy(new Error('given up'));
		await attempt(() => finished(given));
		sawResult(await c.query('SELECT * FROM ledger ORDER BY id'));
	},
	async notify(c) {
		const other = await connect(), heard = [];
		c.on('notification', (n) => heard.push([n.channel, n.payload,
			n.processId === other.processID]));
		await c.query('LISTEN gale');
		for (const payload of ['one', '', 'naïve 東京'])
			await other.query('SELECT pg_notify($1, $2)',
				['gale', payload]);
		await c.query('NOTIFY gale');
		await s.until(() => heard.length >= 4 ||
			c.query('SELECT 1').then(() => false));
		saw(heard);
		await other.end();
	},
	async cancel(c) {
		await cancelled(c, 'SELECT pg_sleep(60)');
		sawResult(await c.query('SELECT \'on it goes\''));
		await c.query('SET statement_timeout = 50');
		await attempt(() => c.query('SELECT pg_sleep($1)', [60]));
	},
	async errors(c) {
		await c.query('TRUNCATE ledger');
		for (const wrong of s.WRONG) {
			await attempt(() => c.query(wrong));
			// a name makes it an extended query
			await attempt(() => c.query({text: wrong,
				name: wrong.slice(0, 40)}));
		}
		await attempt(() => c.query('SELECT $1::int', ['x']));
		await attempt(() => c.query('SELECT 1', ['too many']));
	},
	async large(c) {
		const text = 'naïve 東京 '.repeat(400000);
		let r = await c.query('SELECT $1::text AS big', [text]);
		saw(r.rows[0].big.length, r.rows[0].big === text);
		r = await c.query('SELECT $1::bytea AS big',
			[Buffer.from(text)]);
		saw(r.rows[0].big.length, r.rows[0].big.equals(Buffer.from(text)));
		r = await c.query('SELECT repeat(\'y\', n) AS y FROM ' +
			'generate_series(1, 3000) n');
		saw(r.rows.reduce((sum, row) => sum + row.y.length, 0));
	},
	async columns(c) {
		const numbers = Array.from({length: 1600}, (_, i) => i);
		sawResult(await c.query({rowMode: 'array', text: 'SELECT ' +
			numbers.map((i) => `${i} AS column_${i}`).join()}));
		const r = await c.query({rowMode: 'array', text: 'SELECT ' +
			numbers.map((i) => `$${i + 1}::int`).join(), values: numbers});
		saw(r.rows[0].reduce((sum, i) => sum + i, 0));
	},
	async notices(c) {
		c.on('notice', (n) => s.sawError(n));
		for (const text of ['COMMIT', 'DROP TABLE IF EXISTS nowhere',
			'SELECT speak(\'NOTICE\', \'a word\')',
			'SELECT speak(\'WARNING\', \'two\')'])
			sawResult(await c.query(text));
	},
	async settings(c) {
		for (const text of ['SET TimeZone = \'Asia/Tokyo\'',
			'SELECT instant, instant::text AS t, day FROM every_type ' +
			'WHERE n = 1', 'SET DateStyle = \'SQL, DMY\'',
			'SELECT day::text FROM every_type WHERE n = 1',
			'SET DateStyle = ISO', 'SET search_path = harbour, public',
			'SELECT * FROM products LIMIT 1', 'RESET search_path',
			'SELECT * FROM products ORDER BY id LIMIT 1',
			'SET ROLE clerk', 'SELECT current_user, session_user',
			'SELECT * FROM ledger', 'RESET ROLE', 'SET nonsense = 1',
			'BEGIN; SET LOCAL work_mem = \'99kB\'', 'SHOW work_mem',
			'ROLLBACK', 'SHOW work_mem',
			'DISCARD ALL', 'SHOW TimeZone'])
			try {
				const r = await c.query(text);
				saw(r.command, r.rows);
			} catch (e) {
				s.sawError(e);
			}
	},
	async two(c) {
		const other = await connect();
		await c.query('TRUNCATE ledger');
		await c.query('BEGIN');
		await c.query('INSERT INTO ledger VALUES (1, \'one\', 1)');
		const waiting = attempt(() => other.query(
			'INSERT INTO ledger VALUES (1, \'other\', 1)'));
		await c.query('COMMIT');
		await waiting;
		sawResult(await other.query('TABLE ledger'));
		await other.end();
	},
	async socket() {
		const near = await connect({host: s.folder});
		sawResult(await near.query('SELECT id, name FROM products ' +
			'ORDER BY id LIMIT 3'));
		await near.end();
	},
	async empty(c) {
		for (const text of ['', ';', '-- nothing', 'SELECT',
			'SELECT 1 WHERE false', 'SELECT \'\' AS nothing'])
			for (const name of [undefined, `named ${text}`]) {
				const r = await c.query({text, name});
				saw(r.command, r.rowCount, r.rows);
			}
	},
};

const ways = {
	async plain(c) {
		return (await c.query(s.CUSTOMERS)).rows;
	},
	async prepared(c) {
		return (await c.query({name: 'customers', text: s.CUSTOMERS})).rows;
	},
	async in_parts(c) {
		const cursor = c.query(new Cursor(s.CUSTOMERS));
		const rows = [];
		for (;;) {
			const some = await cursor.read(7);
			rows.push(...some);
			if (some.length === 0)
				return rows;
		}
	},
	async queued(c) {
		const text = s.CUSTOMERS.replace('<= 50', '= $1');
		const results = await Promise.all(Array.from({length: 50},
			(_, i) => c.query(text, [i + 1])));
		return results.flatMap((r) => r.rows);
	},
	async copied(c) {
		const parts = [];
		await pipeline(c.query(copy.to(
			`COPY (${s.CUSTOMERS}) TO STDOUT`)), new Writable({
			write: (part, _, done) => {
				parts.push(part);
				done();
			}}));
		return Buffer.concat(parts).toString().trimEnd().split('\n').map(
			(line) => {
				const [id, email, card_number, day, credit_limit,
					city] = line.split('\t');
				return {id, email, card_number, credit_limit, city,
					birth_date: new Date(day)};
			});
	},
};

s.run({steps, ways, connect, end: (c) => c.end()});
