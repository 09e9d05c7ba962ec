// What the scenarios for node share: steps with a name, and printing.
//
// usage: node scenario_X.js MODE HOST FOLDER PORT USER DATABASE
// MODE is `whole` or `masked`; FOLDER holds the Unix socket; the password is
// in PGPASSWORD. Each line starts with the name of its step.
'use strict';

const [mode, host, folder, port, user, database] = process.argv.slice(2);

const CUSTOMERS = 'SELECT id, email, card_number, birth_date, credit_limit, ' +
	'city FROM customers WHERE id <= 50 ORDER BY id';
// what the server complains of, in every field it can
const WRONG = [
	'SELECT 1/0',
	'SELECT nothing',
	'SELEC 1',
	'SELECT \'x\'::int',
	'SELECT 41::knots',
	'SELECT * FROM nowhere',
	'INSERT INTO ledger VALUES (1, NULL, 1)',
	'INSERT INTO ledger VALUES (1, \'one\', 1), (1, \'again\', 1)',
	'INSERT INTO ledger VALUES (1, \'one\', -1)',
	'INSERT INTO ledger VALUES (1, \'one\', 1, 0)',
	'SELECT speak(\'EXCEPTION\', \'a word\')',
	'DO $$ BEGIN PERFORM nothing; END $$',
];

let now;

function plain(key, value) {
	if (Number.isNaN(value) || value === Infinity || value === -Infinity)
		return `number ${value}`;
	return typeof value === 'bigint' ? `${value}n` : value;
}

function saw(...values) {
	console.log(`${now}: ` + values.map((v) => JSON.stringify(v, plain))
		.join(' '));
}

// all there is to an error
function sawError(e) {
	const fields = {name: e.name};
	for (const key of ['code', 'message', 'severity', 'detail', 'hint',
		'position', 'internalPosition', 'internalQuery',
		'internal_position', 'internal_query', 'where', 'schema',
		'schema_name', 'table', 'table_name', 'column', 'column_name',
		'dataType', 'type_name', 'constraint', 'constraint_name',
		'file', 'line', 'routine'])
		if (e[key] !== undefined)
			fields[key] = e[key];
	saw(fields);
}

// something that must fail, and how it did
async function attempt(work) {
	try {
		await work();
	} catch (e) {
		sawError(e);
		return;
	}
	saw('did not fail');
}

function date(value) {
	return value.toISOString().slice(0, 10);
}

// customers as test_clients.py expects them
function show(rows) {
	for (const r of rows)
		console.log([now, r.id, r.email, r.card_number,
			date(r.birth_date), r.credit_limit, r.city].join('|'));
}

async function until(question) {
	const end = Date.now() + 20000;
	while (!await question())
		if (Date.now() > end)
			throw new Error('waited in vain');
}

// `steps` and `ways` by name; each is given what `connect` gives
async function run({steps, ways, connect, end}) {
	for (const [name, step] of Object.entries(
		mode === 'masked' ? ways : steps)) {
		now = name;
		let c;
		try {
			c = await connect();
			const rows = await step(c);
			if (mode === 'masked')
				show(rows);
		} catch (e) {
			console.log(`${now}: STOPPED ` +
				String(e.stack).replaceAll('\n', '\\n'));
			process.exitCode = 1;
		}
		await end(c).catch(() => {});
	}
}

module.exports = {CUSTOMERS, WRONG, attempt, database, folder, host, port,
	run, saw, sawError, until, user};
