/*
 * A login with a token: java -cp postgresql.jar Token.java URL USER; the token
 * is in PGPASSWORD.  Prints 1, or the SQLSTATE and ends with status 1.
 */
import java.sql.*;

public class Token {
	public static void main(String[] arguments) throws Exception {
		try (Connection c = DriverManager.getConnection(arguments[0],
				 arguments[1], System.getenv("PGPASSWORD"));
		     Statement s = c.createStatement();
		     ResultSet r = s.executeQuery("SELECT 1")) {
			r.next();
			System.out.println(r.getInt(1));
		} catch (SQLException e) {
			System.out.println(e.getSQLState());
			System.exit(1);
		}
	}
}
