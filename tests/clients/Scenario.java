/*
 * The drivers' scenario with JDBC.
 *
 * usage: java -cp FOLDER:postgresql.jar Scenario MODE HOST FOLDER PORT USER
 *     DATABASE
 * MODE is `whole` or `masked`; the password is in PGPASSWORD. Each line
 * starts with the name of its step.
 */
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Scenario {
	static final String CUSTOMERS = "SELECT id, email, card_number, " +
		"birth_date, credit_limit, city FROM customers " +
		"WHERE id <= 50 ORDER BY id";
	static final String[] WRONG = {
		"SELECT 1/0",
		"SELECT nothing",
		"SELEC 1",
		"SELECT 'x'::int",
		"SELECT 41::knots",
		"SELECT * FROM nowhere",
		"INSERT INTO ledger VALUES (1, NULL, 1)",
		"INSERT INTO ledger VALUES (1, 'one', 1), (1, 'again', 1)",
		"INSERT INTO ledger VALUES (1, 'one', -1)",
		"INSERT INTO ledger VALUES (1, 'one', 1, 0)",
		"SELECT speak('EXCEPTION', 'a word')",
		"DO $$ BEGIN PERFORM nothing; END $$",
	};
	static final String TYPES = "SELECT * FROM every_type ORDER BY n";

	static String host, port, user, database, now;

	interface Step {
		void run(Connection c) throws Exception;
	}

	interface Work {
		void run() throws Exception;
	}

	static void saw(Object... values) {
		StringBuilder line = new StringBuilder(now + ":");
		for (Object value : values)
			line.append(' ').append(text(value).replace("\n", "\\n"));
		System.out.println(line);
	}

	static String text(Object value) {
		try {
			if (value instanceof byte[])
				return HexFormat.of().formatHex((byte[])value);
			if (value instanceof int[])
				return Arrays.toString((int[])value);
			if (value instanceof java.sql.Array)
				return text(((java.sql.Array)value).getArray());
			if (value instanceof SQLXML)
				return ((SQLXML)value).getString();
		} catch (SQLException e) {
			return e.toString();
		}
		if (!(value instanceof Object[]))
			return String.valueOf(value);
		StringJoiner list = new StringJoiner(",", "[", "]");
		for (Object o : (Object[])value)
			list.add(text(o));
		return list.toString();
	}

	/* `more`: the driver's own properties, in pairs. */
	static Connection open(String... more) throws SQLException {
		Properties p = new Properties();
		p.setProperty("user", user);
		p.setProperty("password", System.getenv("PGPASSWORD"));
		for (int i = 0; i < more.length; i += 2)
			p.setProperty(more[i], more[i + 1]);
		return DriverManager.getConnection("jdbc:postgresql://" + host +
			":" + port + "/" + database, p);
	}

	static void rows(ResultSet r) throws SQLException {
		ResultSetMetaData m = r.getMetaData();
		int count = m.getColumnCount();
		for (int i = 1; i <= count; i++)
			saw("column", m.getColumnLabel(i), m.getColumnTypeName(i),
				m.getColumnType(i), m.getPrecision(i),
				m.getScale(i), m.isNullable(i), m.getTableName(i),
				m.getSchemaName(i), m.isAutoIncrement(i));
		while (r.next())
			row(r, count);
	}

	static void row(ResultSet r, int count) throws SQLException {
		StringJoiner line = new StringJoiner("|");
		for (int i = 1; i <= count; i++) {
			try {
				line.add(text(r.getObject(i)));
			} catch (Exception e) { /* it has no object for it */
				line.add(e.getMessage());
			}
			try {
				/* a byte[] has an address for its string */
				line.add(text(r.getMetaData().getColumnType(i) ==
					Types.BINARY ? r.getBytes(i) : r.getString(i)));
			} catch (Exception e) {
				line.add(e.getMessage());
			}
		}
		saw(line);
	}

	static void query(Connection c, String sql) throws SQLException {
		try (Statement st = c.createStatement()) {
			boolean has = st.execute(sql);
			while (has || st.getUpdateCount() != -1) {
				if (has)
					rows(st.getResultSet());
				else
					saw("changed", st.getUpdateCount());
				has = st.getMoreResults();
			}
		}
	}

	static void complain(SQLException e) {
		saw(e.getClass().getSimpleName(), e.getSQLState(),
			e.getMessage());
		ServerErrorMessage m = e instanceof PSQLException ?
			((PSQLException)e).getServerErrorMessage() : null;
		if (m != null)
			describe(m);
		if (e.getNextException() != null)
			complain(e.getNextException());
	}

	static void describe(ServerErrorMessage m) {
		saw(m.getSeverity(), m.getMessage(), m.getDetail(), m.getHint(),
			m.getPosition(), m.getInternalPosition(),
			m.getInternalQuery(), m.getWhere(), m.getSchema(),
			m.getTable(), m.getColumn(), m.getDatatype(),
			m.getConstraint(), m.getFile(), m.getLine(),
			m.getRoutine());
	}

	/* Something that must fail, and how it did. */
	static void attempt(Work work) throws Exception {
		try {
			work.run();
		} catch (SQLException e) {
			complain(e);
			return;
		}
		saw("did not fail");
	}

	static Object one(Connection c, String sql) throws SQLException {
		try (Statement st = c.createStatement();
				ResultSet r = st.executeQuery(sql)) {
			r.next();
			return r.getObject(1);
		}
	}

	static void connection(Connection c) throws Exception {
		try (Connection tuned = open("options",
				"-c work_mem=123kB -c IntervalStyle=iso_8601",
				"currentSchema", "harbour,public",
				"assumeMinServerVersion", "15")) {
			query(tuned, "SELECT current_setting('work_mem'), " +
				"current_user, session_user, current_schemas(true)");
			Map<String, String> told = new TreeMap<>(
				tuned.unwrap(PGConnection.class)
					.getParameterStatuses());
			told.remove("application_name");
			saw(told);
		}
		saw("its process id:", one(c, "SELECT pg_backend_pid()").equals(
			c.unwrap(PGConnection.class).getBackendPID()));
		DatabaseMetaData m = c.getMetaData();
		saw(m.getDatabaseProductVersion(), m.getMaxConnections() > 0,
			m.getDefaultTransactionIsolation(), c.getSchema());
		rows(m.getColumns(null, "public", "ledger", null));
		rows(m.getPrimaryKeys(null, "public", "ledger"));
		rows(m.getImportedKeys(null, "public", "ledger"));
		saw(c.isValid(5));
	}

	static void types(Connection c) throws Exception {
		query(c, TYPES);
		try (Connection simple = open("preferQueryMode", "simple")) {
			query(simple, TYPES);
		}
	}

	static void binary(Connection c) throws Exception {
		/* once the server has prepared it, results come in binary */
		try (PreparedStatement st = c.prepareStatement(TYPES)) {
			for (int i = 0; i < 7; i++)
				rows(st.executeQuery());
		}
		try (Connection at_once = open("binaryTransfer", "true",
				"prepareThreshold", "-1")) {
			query(at_once, TYPES);
		}
	}

	/* Insert the row where r stands, as it came. */
	static void give_back(Connection c, ResultSet r) throws Exception {
		ResultSetMetaData m = r.getMetaData();
		int count = m.getColumnCount();
		try (PreparedStatement into = c.prepareStatement(
				"INSERT INTO again VALUES (?" +
				", ?".repeat(count - 1) + ")")) {
			for (int i = 1; i <= count; i++)
				if (m.getColumnType(i) == Types.BINARY)
					into.setBytes(i, r.getBytes(i));
				else
					into.setString(i, r.getString(i));
			saw(into.executeUpdate());
		}
	}

	static void parameters(Connection c) throws Exception {
		try (Connection loose = open("stringtype", "unspecified")) {
			query(loose, "CREATE TEMP TABLE again (LIKE every_type)");
			ResultSet r = loose.createStatement().executeQuery(TYPES);
			while (r.next())
				give_back(loose, r);
			query(loose, "SELECT e.n, a::text = e::text FROM again a " +
				"JOIN every_type e USING (n) ORDER BY n");
		}
		try (PreparedStatement st = c.prepareStatement("SELECT ?, ?, ?, ?, " +
				"?, ?, ?::uuid, ?, ?, ?")) {
			for (int i = 0; i < 7; i++) {
				st.setInt(1, -i);
				st.setLong(2, 1L << 40);
				st.setDouble(3, 1.5);
				st.setBigDecimal(4, new java.math.BigDecimal("12.50"));
				st.setBytes(5, new byte[] {0, -1});
				st.setTimestamp(6, new Timestamp(0));
				st.setObject(7, new UUID(1, 2));
				st.setArray(8, c.createArrayOf("text",
					new String[] {"a", null, "é"}));
				st.setNull(9, Types.INTEGER);
				st.setBoolean(10, true);
				rows(st.executeQuery());
			}
		}
	}

	static void prepared(Connection c) throws Exception {
		try (PreparedStatement st = c.prepareStatement("SELECT count(*), " +
				"max(status) FROM orders WHERE customer_id = ?")) {
			for (int i = 0; i < 20; i++) {
				st.setInt(1, i);
				rows(st.executeQuery());
			}
			saw(st.getParameterMetaData().getParameterTypeName(1));
			st.setString(1, "1");
			attempt(() -> st.executeQuery());
			st.setInt(1, 1);
			rows(st.executeQuery());
		}
		query(c, "SELECT statement, from_sql FROM pg_prepared_statements " +
			"ORDER BY 1");
		/* the table changes under a prepared statement */
		query(c, "CREATE TEMP TABLE changing (a int)");
		try (PreparedStatement st = c.prepareStatement("TABLE changing")) {
			for (int i = 0; i < 7; i++)
				st.executeQuery();
			query(c, "ALTER TABLE changing ADD b int");
			attempt(() -> rows(st.executeQuery()));
		}
	}

	static void transaction(Connection c) throws Exception {
		query(c, "TRUNCATE ledger");
		c.setAutoCommit(false);
		query(c, "INSERT INTO ledger VALUES (1, 'kept', 1)");
		Savepoint here = c.setSavepoint("here");
		attempt(() -> query(c, "INSERT INTO ledger VALUES (1, 'twice', 1)"));
		attempt(() -> query(c, "SELECT 1"));
		c.rollback(here);
		c.releaseSavepoint(here);
		c.commit();
		query(c, "INSERT INTO ledger VALUES (2, 'lost', 1)");
		c.rollback();
		c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
		c.setReadOnly(true);
		query(c, "SHOW transaction_isolation");
		attempt(() -> query(c, "DELETE FROM ledger"));
		c.rollback();
		query(c, "TABLE ledger");
		c.commit();
		try (Connection saving = open("autosave", "always")) {
			saving.setAutoCommit(false);
			attempt(() -> query(saving, "SELECT 1/0"));
			query(saving, "SELECT 'on it goes'");
			saving.commit();
		}
	}

	static void cursor(Connection c) throws Exception {
		c.setAutoCommit(false);
		try (PreparedStatement st = c.prepareStatement(
				"SELECT id, status FROM orders ORDER BY id")) {
			st.setFetchSize(7);
			for (int i = 0; i < 7; i++) {
				ResultSet r = st.executeQuery();
				for (int j = 0; j < 20 && r.next(); j++)
					row(r, 2);
				r.close(); /* before its end */
			}
			st.setMaxRows(5);
			rows(st.executeQuery());
			st.setMaxRows(0);
			st.setFetchSize(100);
			int sum = 0;
			ResultSet r = st.executeQuery();
			while (r.next())
				sum += r.getInt(1);
			saw(sum);
		}
		try (Statement st = c.createStatement()) {
			st.setFetchSize(3);
			ResultSet r = st.executeQuery(
				"SELECT 10 / (5 - n) FROM generate_series(1, 9) n");
			for (int i = 0; i < 3; i++) {
				r.next();
				row(r, 1);
			}
			attempt(() -> {
				while (r.next())
					row(r, 1);
			});
		}
		c.rollback();
		/* two portals open at once */
		try (Statement one = c.createStatement();
				Statement other = c.createStatement()) {
			one.setFetchSize(2);
			other.setFetchSize(3);
			ResultSet a = one.executeQuery("SELECT id FROM orders " +
				"ORDER BY id");
			ResultSet b = other.executeQuery("SELECT id FROM products " +
				"ORDER BY id DESC");
			for (int i = 0; i < 10 && a.next() && b.next(); i++)
				saw(a.getInt(1), b.getInt(1));
		}
		c.commit();
		try (Statement st = c.createStatement(
				ResultSet.TYPE_SCROLL_INSENSITIVE,
				ResultSet.CONCUR_UPDATABLE)) {
			query(c, "TRUNCATE ledger");
			query(c, "INSERT INTO ledger VALUES (1, 'a', 1)");
			ResultSet r = st.executeQuery("SELECT id, what FROM ledger");
			r.last();
			r.updateString(2, "changed");
			r.updateRow();
			query(c, "TABLE ledger");
		}
		c.commit();
	}

	static void batch(Connection c) throws Exception {
		query(c, "TRUNCATE ledger");
		for (String rewrite : new String[] {"false", "true"})
			try (Connection batching = open("reWriteBatchedInserts", rewrite);
					PreparedStatement st = batching.prepareStatement(
						"INSERT INTO ledger VALUES (?, ?, ?)")) {
				for (int i = 0; i < 1000; i++) {
					st.setInt(1, i + (rewrite.equals("true") ? 1000 : 0));
					st.setString(2, "no. " + i);
					st.setInt(3, i);
					st.addBatch();
				}
				saw(st.executeBatch());
			}
		query(c, "SELECT count(*), sum(amount) FROM ledger");
		try (PreparedStatement st = c.prepareStatement(
				"UPDATE ledger SET amount = ? WHERE id = ?")) {
			for (int i = 0; i < 10; i++) {
				st.setInt(1, 5 - i);
				st.setInt(2, i);
				st.addBatch();
			}
			try {
				st.executeBatch();
			} catch (BatchUpdateException e) {
				saw(e.getUpdateCounts());
				complain(e);
			}
		}
		try (Statement st = c.createStatement()) {
			st.addBatch("TRUNCATE ledger");
			st.addBatch("INSERT INTO ledger VALUES (1, 'a', 1)");
			st.addBatch("UPDATE ledger SET amount = 2");
			saw(st.executeBatch());
		}
		try (PreparedStatement st = c.prepareStatement(
				"INSERT INTO ledger VALUES (?, 'keys', 1)",
				Statement.RETURN_GENERATED_KEYS)) {
			st.setInt(1, 7);
			st.executeUpdate();
			rows(st.getGeneratedKeys());
		}
	}

	static void several(Connection c) throws Exception {
		query(c, "SELECT 1 AS a; SELECT 2, 'x'; TRUNCATE ledger; " +
			"SELECT 3 WHERE false");
		attempt(() -> query(c, "INSERT INTO ledger VALUES (9, 'undone', " +
			"1); SELECT 1/0; SELECT 2"));
		query(c, "TABLE ledger");
	}

	static void copy(Connection c) throws Exception {
		CopyManager copies = c.unwrap(PGConnection.class).getCopyAPI();
		query(c, "CREATE TEMP TABLE again (LIKE every_type)");
		for (String format : new String[] {"text", "csv", "binary"}) {
			ByteArrayOutputStream data = new ByteArrayOutputStream();
			saw(copies.copyOut("COPY every_type TO STDOUT (FORMAT " +
				format + ")", data));
			saw(data.toByteArray());
			saw(copies.copyIn("COPY again FROM STDIN (FORMAT " + format +
				")", new ByteArrayInputStream(data.toByteArray()), 100));
		}
		query(c, "SELECT e.n, count(*), bool_and(a::text = e::text) FROM " +
			"again a JOIN every_type e USING (n) GROUP BY e.n ORDER BY n");
		query(c, "TRUNCATE ledger");
		byte[] good = "1\ta\t1\t\\N\n".getBytes(StandardCharsets.UTF_8);
		saw(copies.copyIn("COPY ledger FROM STDIN",
			new ByteArrayInputStream(good)));
		attempt(() -> copies.copyIn("COPY ledger FROM STDIN",
			new ByteArrayInputStream(good)));
		attempt(() -> copies.copyOut("COPY nowhere TO STDOUT",
			new ByteArrayOutputStream()));
		CopyIn given = copies.copyIn("COPY ledger FROM STDIN");
		given.writeToCopy(good, 0, good.length);
		given.cancelCopy();
		saw(given.isActive());
		query(c, "TABLE ledger");
	}

	static void notify(Connection c) throws Exception {
		int heard = 0;
		try (Connection other = open()) {
			query(c, "LISTEN gale");
			query(other, "NOTIFY gale, 'one'");
			query(other, "SELECT pg_notify('gale', 'naïve 東京')");
			PGConnection pg = c.unwrap(PGConnection.class);
			int sender = other.unwrap(PGConnection.class)
				.getBackendPID();
			while (heard < 2)
				for (PGNotification n : pg.getNotifications(20000)) {
					saw(n.getName(), n.getParameter(),
						n.getPID() == sender);
					heard++;
				}
		}
	}

	static void cancel(Connection c) throws Exception {
		int pid = c.unwrap(PGConnection.class).getBackendPID();
		Statement st = c.createStatement();
		Thread canceller = new Thread(() -> {
			try (Connection other = open()) {
				String asleep = "SELECT count(*) FROM pg_stat_activity " +
					"WHERE wait_event = 'PgSleep' AND pid = " + pid;
				while ((Long)one(other, asleep) == 0)
					Thread.onSpinWait();
				st.cancel();
			} catch (SQLException e) {
				saw("STOPPED", e);
			}
		});
		canceller.start();
		attempt(() -> st.executeQuery("SELECT pg_sleep(20)"));
		canceller.join();
		query(c, "SELECT 'on it goes'");
		query(c, "SET statement_timeout = 50");
		attempt(() -> query(c, "SELECT pg_sleep(20)"));
	}

	static void errors(Connection c) throws Exception {
		query(c, "TRUNCATE ledger");
		try (Connection simple = open("preferQueryMode", "simple")) {
			for (String wrong : WRONG) {
				attempt(() -> query(c, wrong));
				attempt(() -> query(simple, wrong));
			}
		}
	}

	static void large(Connection c) throws Exception {
		String text = "naïve 東京 ".repeat(400000);
		for (int i = 0; i < 2; i++)
			try (PreparedStatement st = c.prepareStatement(
					"SELECT ?::text, 1")) {
				st.setString(1, text);
				ResultSet r = st.executeQuery();
				r.next();
				saw(r.getString(1).length(), r.getString(1).equals(text));
			}
		byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
		try (PreparedStatement st = c.prepareStatement("SELECT ?::bytea")) {
			st.setBytes(1, bytes);
			ResultSet r = st.executeQuery();
			r.next();
			saw(bytes.length, Arrays.equals(r.getBytes(1), bytes));
		}
	}

	static void columns(Connection c) throws Exception {
		StringJoiner places = new StringJoiner(",");
		for (int i = 1; i <= 1600; i++)
			places.add("?::int AS column_" + i);
		try (PreparedStatement st = c.prepareStatement("SELECT " + places)) {
			for (int round = 0; round < 7; round++) {
				for (int i = 1; i <= 1600; i++)
					st.setInt(i, i);
				ResultSet r = st.executeQuery();
				r.next();
				int sum = 0;
				for (int i = 1; i <= 1600; i++)
					sum += r.getInt("column_" + i);
				saw(sum);
			}
		}
	}

	static void notices(Connection c) throws Exception {
		for (String sql : new String[] {"COMMIT",
				"DROP TABLE IF EXISTS nowhere",
				"SELECT speak('NOTICE', 'a word')",
				"SELECT speak('WARNING', 'two')"})
			try (Statement st = c.createStatement()) {
				st.execute(sql);
				for (SQLWarning w = st.getWarnings(); w != null;
						w = w.getNextWarning()) {
					saw(w.getSQLState(), w.getMessage());
					describe(((org.postgresql.util.PSQLWarning)w)
						.getServerErrorMessage());
				}
			}
	}

	static void settings(Connection c) throws Exception {
		for (String sql : new String[] {"SET TimeZone = 'Asia/Tokyo'",
				"SELECT instant, moment, instant::text FROM every_type " +
					"WHERE n = 1",
				"SET search_path = harbour, public",
				"SELECT * FROM products LIMIT 1", "RESET search_path",
				"SELECT * FROM products ORDER BY id LIMIT 1",
				"SET ROLE clerk", "SELECT current_user, session_user",
				"RESET ROLE"})
			query(c, sql);
		c.setSchema("harbour");
		query(c, "SELECT * FROM products LIMIT 1");
		c.setClientInfo("ApplicationName", "a name");
		saw(c.unwrap(PGConnection.class).getParameterStatus("TimeZone"));
		query(c, "DISCARD ALL");
	}

	static void two(Connection c) throws Exception {
		query(c, "TRUNCATE ledger");
		c.setAutoCommit(false);
		query(c, "INSERT INTO ledger VALUES (1, 'one', 1)");
		try (Connection other = open()) {
			query(other, "SELECT count(*) FROM ledger");
			query(other, "SET lock_timeout = 50");
			attempt(() -> query(other,
				"INSERT INTO ledger VALUES (1, 'other', 1)"));
			c.commit();
			query(other, "TABLE ledger");
		}
	}

	static void empty(Connection c) throws Exception {
		for (String sql : new String[] {"", ";", "-- nothing",
				"SELECT 1 WHERE false", "SELECT ''"})
			query(c, sql);
	}

	static void functions(Connection c) throws Exception {
		c.setAutoCommit(false);
		LargeObjectManager objects = c.unwrap(PGConnection.class)
			.getLargeObjectAPI();
		long id = objects.createLO();
		try (LargeObject object = objects.open(id)) {
			object.write("harbour".getBytes(StandardCharsets.UTF_8));
			object.seek(2);
			saw(object.tell(), object.size(), object.read(4));
		}
		objects.delete(id);
		c.commit();
		attempt(() -> objects.open(31L));
		c.rollback();
	}

	static void show(ResultSet r) throws SQLException {
		while (r.next())
			System.out.println(now + "|" + r.getInt(1) + "|" +
				r.getString(2) + "|" + r.getString(3) + "|" +
				r.getDate(4) + "|" + r.getBigDecimal(5) + "|" +
				r.getString(6));
	}

	static void plain(Connection c) throws Exception {
		show(c.createStatement().executeQuery(CUSTOMERS));
	}

	static void simple(Connection c) throws Exception {
		try (Connection simple = open("preferQueryMode", "simple")) {
			show(simple.createStatement().executeQuery(CUSTOMERS));
		}
	}

	static void server_prepared(Connection c) throws Exception {
		String way = now;
		PreparedStatement st = c.prepareStatement(CUSTOMERS);
		for (int i = 0; i < 7; i++) {
			now = way + "_" + i;
			show(st.executeQuery());
		}
	}

	static void fetch_size(Connection c) throws Exception {
		c.setAutoCommit(false);
		PreparedStatement st = c.prepareStatement(CUSTOMERS);
		st.setFetchSize(7);
		show(st.executeQuery());
	}

	static void copied(Connection c) throws Exception {
		ByteArrayOutputStream data = new ByteArrayOutputStream();
		c.unwrap(PGConnection.class).getCopyAPI().copyOut(
			"COPY (" + CUSTOMERS + ") TO STDOUT (DELIMITER '|')", data);
		for (String line : data.toString(StandardCharsets.UTF_8)
				.split("\n"))
			System.out.println(now + "|" + line);
	}

	static Map<String, Step> whole() {
		Map<String, Step> steps = new LinkedHashMap<>();
		steps.put("connection", Scenario::connection);
		steps.put("types", Scenario::types);
		steps.put("binary", Scenario::binary);
		steps.put("parameters", Scenario::parameters);
		steps.put("prepared", Scenario::prepared);
		steps.put("transaction", Scenario::transaction);
		steps.put("cursor", Scenario::cursor);
		steps.put("batch", Scenario::batch);
		steps.put("several", Scenario::several);
		steps.put("copy", Scenario::copy);
		steps.put("notify", Scenario::notify);
		steps.put("cancel", Scenario::cancel);
		steps.put("errors", Scenario::errors);
		steps.put("large", Scenario::large);
		steps.put("columns", Scenario::columns);
		steps.put("notices", Scenario::notices);
		steps.put("settings", Scenario::settings);
		steps.put("two", Scenario::two);
		steps.put("empty", Scenario::empty);
		steps.put("functions", Scenario::functions);
		return steps;
	}

	static Map<String, Step> masked() {
		Map<String, Step> ways = new LinkedHashMap<>();
		ways.put("plain", Scenario::plain);
		ways.put("simple", Scenario::simple);
		ways.put("server_prepared", Scenario::server_prepared);
		ways.put("fetch_size", Scenario::fetch_size);
		ways.put("copied", Scenario::copied);
		return ways;
	}

	public static void main(String[] given) {
		boolean has_stopped = false;
		host = given[1];
		port = given[3];
		user = given[4];
		database = given[5];
		for (Map.Entry<String, Step> step : (given[0].equals("masked")
				? masked() : whole()).entrySet()) {
			now = step.getKey();
			try (Connection c = open()) {
				step.getValue().run(c);
			} catch (Exception e) {
				saw("STOPPED", e);
				has_stopped = true;
			}
		}
		System.exit(has_stopped ? 1 : 0);
	}
}
